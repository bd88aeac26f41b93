import type { JobRequest } from '@grsai-jobs/client';
import { choice, defineCommand, option } from '../command.ts';
import { finish } from '../finish.ts';
import { idempotently } from '../idempotent.ts';
import { SHARED } from '../job-options.ts';
import { buildRequest, type RequestOptions } from '../request.ts';
import { positive, several, words } from '../values.ts';

interface Options extends RequestOptions {
  wait?: boolean;
  timeout?: number;
  idempotencyKey?: string;
}

export const submit = defineCommand<Options>({
  usage: 'submit [file]',
  about: 'Send one job: from flags, or a JSON request from a file (- is stdin)',
  details:
    'Prints the id of the job; with --wait the answer of a chat, or the links of the images. Each call carries an Idempotency-Key, so a request whose answer was lost is sent again without making a second job.',
  examples: [
    ['submit --chat "Say hello" --model gemini-3.1-pro --wait', 'ask, and print the answer'],
    ['submit --image "a paper lighthouse" --model nano-banana-2 --aspect-ratio 4:3', 'print the id at once'],
    ['submit --image "the same at night" --model nano-banana-2 --input-image lighthouse.png --wait', 'change a picture'],
    ['submit request.json --idempotency-key order-A-17 --metadata order=A-17', 'a request as POST /v1/jobs takes it'],
  ],
  options: [
    option('--chat <text>', 'a chat job with this message (- is stdin)'),
    option('--image <prompt>', 'an image job with this prompt (- is stdin)'),
    option('--model <name>', 'model, such as gemini-3.1-pro or nano-banana-2'),
    option('--fallback-models <list>', 'models to go on with when that one takes no calls, at most 3', words),
    option('--system <text>', 'chat: a system message before it'),
    option('--input-image <file|url>', 'a picture to look at or to change; may be given again', several),
    option('--aspect-ratio <ratio>', 'image: such as 4:3'),
    option('--image-size <size>', 'image: size, such as 1K, 2K or 4K'),
    option('--quality <q>', 'image: quality, such as auto, low, medium or high'),
    choice('--via <way>', 'image: a task that is polled, or a synchronous call', ['generate', 'generations']),
    choice('--resubmit-failed <when>', 'image: make one that failed upstream once more; auto: where its credits come back', [
      ...['auto', 'never', 'always'],
    ]),
    SHARED.webhookUrl(),
    SHARED.webhookEvents(),
    SHARED.metadata(),
    SHARED.priority(),
    SHARED.expiresIn(),
    option('--max-attempts <n>', 'calls or submits at most, 1 to 10 (default 4)', positive),
    choice('--on-unknown-submit <what>', 'when nobody can know whether a paid call went through', ['fail', 'resubmit']),
    SHARED.idempotencyKey(),
    option('-w, --wait', 'follow it to its end and print the result'),
    SHARED.timeout(),
  ],
  run: async (context, options, [file]) => {
    const request = await buildRequest(context.host, file, options);
    const job = await idempotently(
      context,
      options.idempotencyKey,
      'job',
      // The service checks it, and says what is wrong.
      async (idempotencyKey) => await context.client.jobs.create(request as JobRequest, { idempotencyKey }),
    );
    for (const { message } of job.warnings ?? []) context.hint(`Warning: ${message}`);
    if (options.wait) {
      context.hint(job.id);
      return await finish(context, job, options.timeout);
    }
    context.hint(`Accepted. Follow it: ${context.host.program} watch ${job.id}`);
    await context.out.value(job, ({ id }) => id);
    return 'ok';
  },
});
