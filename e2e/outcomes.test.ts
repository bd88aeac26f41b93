import { expect, test } from 'vitest';
import { chat, image, type Job, startStack } from './stack.ts';

interface Row {
  /** What upstream does, as the emulator is told in the prompt (upstream.md §13.2). */
  fault: string;
  ends: 'succeeded' | 'failed';
  code?: string;
  /** Tasks or calls that upstream took for this job. */
  taken: number;
  more?: object;
}

const IMAGE: readonly Row[] = [
  { fault: '', ends: 'succeeded', taken: 1 },
  { fault: '[[fault=F3]]', ends: 'succeeded', taken: 1 },
  { fault: '[[fault=F4]]', ends: 'failed', code: 'submit_unknown', taken: 0 },
  { fault: '[[fault=F4:status=503]] again', ends: 'succeeded', taken: 1, more: { on_unknown_submit: 'resubmit' } },
  { fault: '[[fault=F5]]', ends: 'failed', code: 'invalid_input', taken: 0 },
  { fault: '[[fault=F6]]', ends: 'failed', code: 'submit_unknown', taken: 1 },
  { fault: '[[fault=F6]] again', ends: 'succeeded', taken: 2, more: { on_unknown_submit: 'resubmit' } },
  { fault: '[[fault=F7:as=open]]', ends: 'succeeded', taken: 1 },
  { fault: '[[fault=F7:as=sse]]', ends: 'succeeded', taken: 1 },
  { fault: '[[fault=F7:as=chunks]]', ends: 'succeeded', taken: 1 },
  { fault: '[[fault=F8:ms=14000]]', ends: 'succeeded', taken: 1 },
  { fault: '[[fault=F9:as=empty]]', ends: 'succeeded', taken: 1 },
  { fault: '[[fault=F9:as=html]]', ends: 'succeeded', taken: 1 },
  { fault: '[[fault=F9:as=truncated]]', ends: 'succeeded', taken: 1 },
  { fault: '[[fault=F9:as=reset]]', ends: 'succeeded', taken: 1 },
  { fault: '[[fault=F9:as=empty,at=submit]]', ends: 'failed', code: 'submit_unknown', taken: 1 },
  { fault: '[[fault=F9:as=html,at=submit]]', ends: 'failed', code: 'submit_unknown', taken: 1 },
  { fault: '[[fault=F11]]', ends: 'succeeded', taken: 1 },
  { fault: '[[fault=F12:as=spaces]]', ends: 'succeeded', taken: 1 },
  { fault: '[[fault=F12:as=url-null]]', ends: 'failed', code: 'upstream_result_lost', taken: 1 },
  { fault: '[[fault=F14]]', ends: 'succeeded', taken: 1 },
  { fault: '[[fault=F16]]', ends: 'succeeded', taken: 2 },
  { fault: '[[fault=F17:as=input]]', ends: 'failed', code: 'content_rejected', taken: 1 },
  { fault: '[[fault=F18:as=404]]', ends: 'succeeded', taken: 1 },
  { fault: '[[fault=F18:as=503]]', ends: 'succeeded', taken: 1 },
  { fault: '[[fault=F18:as=truncated]]', ends: 'succeeded', taken: 1 },
  { fault: '[[fault=F18:as=html]]', ends: 'succeeded', taken: 1 },
  { fault: '[[fault=F18:as=empty]]', ends: 'succeeded', taken: 1 },
  { fault: '[[fault=F18:as=type]]', ends: 'succeeded', taken: 1 },
  { fault: '[[fault=F20:as=maintenance]]', ends: 'failed', code: 'model_unavailable', taken: 0 },
  { fault: '[[fault=F20:as=refused]]', ends: 'failed', code: 'upstream_failed', taken: 0, more: { max_attempts: 1 } },
  { fault: '[[fault=F22:ms=20000]]', ends: 'failed', code: 'submit_unknown', taken: 1 },
];

const CHAT: readonly Row[] = [
  { fault: '', ends: 'succeeded', taken: 1 },
  { fault: '[[fault=F3]]', ends: 'succeeded', taken: 1 },
  { fault: '[[fault=F5]]', ends: 'failed', code: 'invalid_input', taken: 0 },
  { fault: '[[fault=F6]]', ends: 'succeeded', taken: 2 },
  { fault: '[[fault=F6]] once', ends: 'failed', code: 'submit_unknown', taken: 1, more: { on_unknown_submit: 'fail' } },
  { fault: '[[fault=F20:as=removed]]', ends: 'failed', code: 'model_unavailable', taken: 0 },
  { fault: '[[fault=F21:as=empty]]', ends: 'succeeded', taken: 2 },
  { fault: '[[fault=F21:as=rix]]', ends: 'succeeded', taken: 2 },
  { fault: '[[fault=F21:as=charset]]', ends: 'succeeded', taken: 1 },
  { fault: '[[reply-bytes=40000]]', ends: 'succeeded', taken: 1 },
];

test('whatever upstream does to a job, the job ends as the tables say and upstream was asked no more often than they allow', async () => {
  const stack = await startStack({ emulator: { taskMs: 500, chatMs: 10 } });
  const send = async (row: Row, body: (receiver: { url: string }, prompt: string, more?: object) => object, n: number) => {
    const prompt = `row ${n}. ${row.fault}`;
    const { id } = await stack.tenant.post<Job>('/v1/jobs', body(stack.receiver, prompt, row.more));
    return { row, id, prompt };
  };
  const sent = await Promise.all([
    ...IMAGE.map((row, n) => send(row, image, n)),
    ...CHAT.map((row, n) => send(row, chat, 100 + n)),
  ]);
  for (const { row, id, prompt } of sent) {
    const job = await stack.tenant.finished(id, 90_000);
    const taken = stack.emulator.ledger
      .submitsOf({ prompt })
      .filter((submit) => submit.outcome === 'accepted' || submit.charged > 0).length;
    expect({ fault: row.fault, status: job.status, code: job.error?.code, taken }).toEqual({
      fault: row.fault,
      status: row.ends,
      code: row.code,
      taken: row.taken,
    });
  }
  await stack.receiver.waitFor(sent.length, { timeoutMs: 30_000 });
  expect(new Set(stack.receiver.received.map((hook) => (hook.json as { id: string }).id)).size).toBe(sent.length);
  // By its status a link that is dead is told from a store or a network that is away.
  const dead = await stack.tenant.job(sent.find(({ row }) => row.fault === '[[fault=F18:as=404]]')?.id ?? '');
  expect(dead.attempts.find(({ stage, outcome }) => stage === 'store' && outcome === 'retry')).toMatchObject({
    error_code: 'http',
    upstream_status: 404,
  });
  const big = await stack.tenant.job(sent.at(-1)?.id ?? '');
  const stored = (await (await fetch(String(big.result['url']))).json()) as { choices: { message: { content: string } }[] };
  expect(stored.choices[0]?.message.content.length).toBeGreaterThan(16 * 1024);
});
