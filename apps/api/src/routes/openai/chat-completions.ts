import type { JobRecord } from '@grsai-jobs/jobs';
import type { SliceQueue } from '@grsai-jobs/runtime';
import { principalOf } from '../../http/auth.ts';
import { JOB_RATIO, jsonBody } from '../../http/body.ts';
import type { BodyBudget } from '../../http/body-budget.ts';
import { served } from '../../http/route.ts';
import type { ReadCompletion } from '../../use-cases/read-completion.ts';
import { openAiCompletion } from './chat-answer.ts';
import { asSent, readChatRequest } from './chat-request.ts';
import { type ChatStreamDeps, streamCompletion } from './chat-stream.ts';
import { sendFinal } from './errors.ts';
import { endError, endedJobs, grsaiOf, unreadable } from './held-jobs.ts';

interface ChatCompletionDeps extends ChatStreamDeps {
  readCompletion: ReadCompletion;
  bodyLimit: number;
  budget: BodyBudget;
  slices: SliceQueue;
  /** Names of fields that go to upstream as they are. */
  upstreamChatFields: readonly string[];
}

const PATH = '/openai/v1/chat/completions';

/** A chat job; the answer is held until it has ended, or comes as a stream. */
export const createChatCompletion = served({
  method: 'post',
  path: PATH,
  scope: 'jobs:write',
  handlers: (o: ChatCompletionDeps) => [
    ...jsonBody(o.bodyLimit, { budget: o.budget, ratio: JOB_RATIO, slices: o.slices }),
    async (request, response) => {
      const body: unknown = request.body;
      const slices = o.slices.of(principalOf(response).tenant);
      const order = await readChatRequest(body, o.upstreamChatFields, slices);
      if (order.ignored.length > 0) response.set('x-grsai-ignored', order.ignored.join(', '));
      const wanted = {
        route: `POST ${PATH}`,
        requests: [order.request],
        body,
        attach: order.attach,
        asSent: (error: Parameters<typeof asSent>[0]) => asSent(error, body),
      };
      if (order.stream !== null) return await streamCompletion(o, wanted, order.stream, response);
      const [job] = (await endedJobs(o, wanted, response)) ?? [];
      if (job === undefined) return;
      if (job.status !== 'succeeded') sendFinal(response, endError(job), { grsai: grsaiOf([job]) });
      else await sendCompletion(o, job, response);
    },
  ],
});

async function sendCompletion(
  o: Pick<ChatCompletionDeps, 'readCompletion'>,
  job: JobRecord,
  response: Parameters<typeof sendFinal>[0],
): Promise<void> {
  const { output } = job;
  const found = output === null || output.kind === 'images' ? null : await o.readCompletion(output);
  if (found?.kind !== 'read') {
    sendFinal(response, unreadable(job.id), { grsai: grsaiOf([job]) });
    return;
  }
  const created = Math.floor((job.finished_at ?? job.created_at) / 1000);
  const answer = openAiCompletion(found.completion, { id: job.id, model: job.doc.input.model, created });
  response.json({ ...answer, grsai: grsaiOf([job]) });
}
