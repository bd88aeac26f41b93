import { createHash } from 'node:crypto';
import { waitFor } from '@grsai-jobs/testkit';
import { expect, test } from 'vitest';
import { type Stack, startStack } from './stack.ts';

/** A batch has up to 50 000, which take two minutes of a machine of two cores: BATCH_LINES=50000 tries them. */
const LINES = Number(process.env['BATCH_LINES'] ?? 8_000);
const SECOND = 1000;

interface Batch {
  id: string;
  status: string;
  counts: Record<'total' | 'queued' | 'running' | 'succeeded' | 'failed' | 'canceled' | 'expired', number>;
  results_file: { url: string; bytes: number; sha256: string } | null;
}

interface Row {
  line: number;
  custom_id: string;
  status: string;
  result: unknown;
}

const line = (n: number) =>
  `${JSON.stringify({ custom_id: `c-${n}`, type: 'chat', input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: `${n}` }] } })}\n`;

/** The body, as it is read; `onHalf` once half of it went out. */
async function* body(onHalf: () => void): AsyncGenerator<Buffer> {
  for (let from = 1; from <= LINES; from += 500) {
    if (from === LINES / 2 + 1) onHalf();
    yield Buffer.from(Array.from({ length: 500 }, (_, i) => line(from + i)).join(''));
  }
}

const upload = async (stack: Stack, onHalf = () => {}) =>
  await fetch(`${stack.url}/v1/batches?webhook_url=${encodeURIComponent(stack.receiver.url)}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${stack.tenant.key}`, 'content-type': 'application/x-ndjson' },
    body: body(onHalf),
    duplex: 'half',
  } as RequestInit);

const adds = ({ counts }: Batch): boolean =>
  counts.queued + counts.running + counts.succeeded + counts.failed + counts.canceled + counts.expired === counts.total;

test('when API and worker are killed while the lines of a large batch come in and run then each line has its result, once, and all add up', {
  timeout: 400 * SECOND,
}, async () => {
  const stack = await startStack({
    kills: true,
    emulator: { chatMs: 0 },
    quiet: true,
    env: { GRSAI_MAX_IN_FLIGHT: '0', CALL_CONCURRENCY: '100' },
    redis: { appendonly: 'no' },
  });
  // The API dies in the middle of the body: nothing is accepted, and the client sends it again.
  const broken = upload(stack, () => stack.api.kill('SIGKILL'));
  await expect(broken).rejects.toThrow();
  const api = await stack.startApi();
  const sent = await upload(stack);
  expect(sent.status).toBe(202);
  const { id } = (await sent.json()) as Batch;
  const read = () => stack.tenant.get<Batch>(`/v1/batches/${id}`);

  const upTo = (n: number) =>
    waitFor(
      async () => {
        const batch = await read();
        expect(adds(batch)).toBe(true);
        return batch.counts.succeeded >= n || undefined;
      },
      { timeoutMs: 120 * SECOND, everyMs: 100, what: `${n} jobs to succeed` },
    );
  await upTo(500);
  stack.worker.kill('SIGKILL');
  await stack.worker.exited;
  const second = await stack.startWorker();
  await upTo(LINES / 2);
  second.kill('SIGKILL');
  api.kill('SIGKILL');
  await Promise.all([second.exited, api.exited]);
  await Promise.all([stack.startApi(), stack.startWorker()]);

  const ended = await waitFor(
    async () => {
      const batch = await read();
      expect(adds(batch)).toBe(true);
      return batch.status === 'completed' ? batch : undefined;
    },
    { timeoutMs: 200 * SECOND, everyMs: 250, what: 'the batch to end' },
  );
  expect(ended.counts).toEqual({ total: LINES, queued: 0, running: 0, succeeded: LINES, failed: 0, canceled: 0, expired: 0 });

  const streamed = await (await stack.tenant.send('GET', `/v1/batches/${id}/results`)).text();
  const rows = streamed
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text) as Row);
  expect(rows.map((row) => row.line)).toEqual(Array.from({ length: LINES }, (_, i) => i + 1));
  expect(rows.every((row) => row.custom_id === `c-${row.line}` && row.status === 'succeeded' && row.result !== null)).toBe(true);

  const file = Buffer.from(await (await fetch(ended.results_file?.url ?? '')).arrayBuffer());
  expect(file.length).toBe(ended.results_file?.bytes);
  expect(createHash('sha256').update(file).digest('hex')).toBe(ended.results_file?.sha256);
  expect(file.toString().trimEnd().split('\n')).toHaveLength(LINES);

  await stack.receiver.waitFor(1, { timeoutMs: 40 * SECOND });
  expect(new Set(stack.receiver.received.map((hook) => (hook.json as { type: string; data: { id: string } }).data.id))).toEqual(
    new Set([id]),
  );
});
