import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startProcess } from '@grsai-jobs/testkit';
import { Webhook } from 'standardwebhooks';
import { expect, onTestFinished, test } from 'vitest';
import { chat, image, type Job, shareStack } from './stack.ts';

const text = readFileSync(new URL('../docs/webhooks.md', import.meta.url), 'utf8');

/** The receivers of docs/webhooks.md, as they are printed there. Other interpreters than ours may be missing on a machine. */
const RECEIVERS = [
  { language: 'js', file: 'receiver.mjs', command: process.execPath },
  { language: 'python', file: 'receiver.py', command: 'python3' },
] as const;

const isHere = (command: string): boolean => spawnSync(command, ['--version']).status === 0;

/** Starts the printed receiver and answers its address. */
async function startPrinted({ language, file, command }: (typeof RECEIVERS)[number], secret: string) {
  const blocks = [...text.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 'gs'))].map(([, block]) => block ?? '');
  expect(blocks).toHaveLength(1);
  expect(text).toContain(`\`${file}\`:`);
  const cwd = mkdtempSync(join(tmpdir(), 'webhooks-doc-'));
  onTestFinished(() => rmSync(cwd, { recursive: true }));
  const entry = join(cwd, file);
  writeFileSync(entry, blocks[0] ?? '');
  const port = await freePort();
  const running = await startProcess({
    entry,
    command,
    env: { WEBHOOK_SECRET: secret, PORT: String(port) },
    ready: /^listening$/,
  });
  onTestFinished(() => running.stop());
  const told = () => running.lines.map(({ raw }) => raw).filter((raw) => raw !== 'listening');
  return { url: `http://127.0.0.1:${port}/hooks`, told };
}

const freshStack = shareStack({ emulator: { taskMs: 200 } });

test.each(RECEIVERS.filter(({ command }) => !isHere(command)))('$command is not at hand, so $file is not tried', ({ command }) =>
  expect(isHere(command)).toBe(false),
);

for (const receiver of RECEIVERS) {
  test.runIf(isHere(receiver.command))(
    `${receiver.file} of docs/webhooks.md takes what the service sends, once for each event, and refuses what it did not send`,
    async () => {
      const stack = await freshStack();
      const { secret } = await stack.tenant.get<{ secret: string }>('/v1/webhook-secret');
      const { url, told } = await startPrinted(receiver, secret);
      const { id } = await stack.tenant.post<Job>('/v1/jobs', chat({ url }, 'Sag „grüß Gott“ 🙂'));
      const line = `job.succeeded ${id} succeeded`;
      const job = async () => await stack.tenant.job(id);
      await expect.poll(async () => (await job()).webhook.state, { timeout: 20_000 }).toBe('delivered');
      expect(told()).toEqual([line]);

      const event = { id: `evt_${id.slice(4)}_1_job_succeeded`, type: 'job.succeeded', data: { id, status: 'succeeded' } };
      const body = JSON.stringify(event);
      const post = async (headers: Record<string, string>, text = body) =>
        (await fetch(url, { method: 'POST', body: text, headers })).status;
      const signed = (at: Date, by = secret): Record<string, string> => ({
        'webhook-id': event.id,
        'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
        'webhook-signature': new Webhook(by).sign(event.id, at, body),
      });
      const now = new Date();
      const ofNow = signed(now);
      expect(await post(ofNow), 'the same event again').toBe(204);
      const other = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
      const during = `${signed(now, other)['webhook-signature']} ${ofNow['webhook-signature']}`;
      expect(await post({ ...ofNow, 'webhook-signature': during }), 'two signatures').toBe(204);
      expect(told(), 'no event is handled twice').toEqual([line]);

      expect(await post({}), 'no headers').toBe(400);
      expect(await post(signed(now, other)), 'another secret').toBe(400);
      expect(await post(ofNow, body.replace('succeeded', 'failed')), 'another body').toBe(400);
      expect(await post({ ...ofNow, 'webhook-id': 'evt_2' }), 'another id').toBe(400);
      expect(await post(signed(new Date(now.getTime() - 400_000))), 'too old').toBe(400);
      expect(await post(signed(new Date(now.getTime() + 400_000))), 'too new').toBe(400);
      expect(await post({ ...ofNow, 'webhook-timestamp': 'now' }), 'no number').toBe(400);
      expect(await post({ ...ofNow, 'webhook-signature': 'v1,' }), 'no signature').toBe(400);
      expect(told()).toEqual([line]);
    },
  );
}

interface Body {
  type: string;
  data: Record<string, unknown> & { id: string };
}

/** The bodies as they are printed. */
const printed = [...text.matchAll(/```json\n(.*?)```/gs)]
  .map(([, block]) => JSON.parse(block ?? '') as Partial<Body>)
  .filter((body): body is Body => body.type !== undefined);

/** What is printed and is not there, or is of another kind. */
function missing(doc: unknown, real: unknown, path = ''): string[] {
  if (Array.isArray(doc)) return Array.isArray(real) && real.length > 0 ? missing(doc[0], real[0], `${path}/0`) : [path];
  if (doc === null || typeof doc !== 'object')
    return typeof doc === typeof real && (doc === null) === (real === null) ? [] : [path];
  if (real === null || typeof real !== 'object') return [path];
  return Object.entries(doc).flatMap(([key, value]) => missing(value, (real as Record<string, unknown>)[key], `${path}/${key}`));
}

test('each body that docs/webhooks.md prints has the form of one that comes', async () => {
  const stack = await freshStack();
  const send = async (body: object) => (await stack.tenant.post<Job>('/v1/jobs', body)).id;
  const order = { metadata: { order: 'A-17' } };
  stack.receiver.respond((hook) => (hook.body.includes('to be deleted') ? 503 : 200));
  const [image_, failed, long, deleted, canceled, slow] = await Promise.all([
    send(image(stack.receiver, 'a lighthouse', order)),
    send(image(stack.receiver, 'no [[outcome=violation]]', order)),
    send(chat(stack.receiver, 'x'.repeat(21_000))),
    send(chat(stack.receiver, 'to be deleted')),
    send(chat(stack.receiver, 'slow [[chat-ms=60000]]')),
    send(
      image(stack.receiver, 'in the making [[task-ms=18000]]', {
        ...order,
        webhook: { url: stack.receiver.url, events: ['job.progress'] },
      }),
    ),
  ]);
  const batch = await stack.tenant.post<{ id: string }>('/v1/batches', {
    webhook: { url: stack.receiver.url },
    ...order,
    items: [
      {
        custom_id: 'hello',
        type: 'chat',
        input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'Say hello' }] },
      },
    ],
  });
  await stack.emulator.waitFor(() => stack.emulator.requests.some(({ body }) => JSON.stringify(body).includes('slow')));
  await stack.tenant.send('POST', `/v1/jobs/${canceled}/cancel`);
  const tell = (id: string) => (hook: { json: unknown }) => (hook.json as Body).data.id === id;
  await stack.receiver.waitFor(tell(deleted), { timeoutMs: 20_000 });
  await expect.poll(async () => (await stack.tenant.send('DELETE', `/v1/jobs/${deleted}`)).status).toBe(204);
  const isThere = (hook: { json: unknown }) => tell(deleted)(hook) && (hook.json as Body).data['deleted'] === true;
  const real = await Promise.all(
    // A job lives a minute at least; one that expired has the form of one that failed.
    [tell(image_), tell(failed), tell(canceled), tell(failed), tell(slow), tell(batch.id), tell(long), isThere].map((fits) =>
      stack.receiver.waitFor(fits, { timeoutMs: 30_000 }),
    ),
  );
  expect(printed.map(({ type }) => type.replace('expired', 'failed'))).toEqual(real.map(({ json }) => (json as Body).type));
  expect(printed.flatMap((doc, i) => missing(doc, real[i]?.json, `${i}`))).toEqual([]);
});
