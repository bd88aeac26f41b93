import { createServer } from 'node:http';
import { Grsai } from '@grsai-jobs/grsai';
import { type JobDoc, JobRequest } from '@grsai-jobs/jobs';
import type { Outcome } from '@grsai-jobs/queue';
import { listen } from '@grsai-jobs/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { acceptedJob, type Harness, handlersOf, startHarness } from './harness.ts';

/** A call stage as a worker makes it at its start: it knows of its jobs what their records say. */
const callStage = (harness: Harness, grsai: Grsai = harness.grsai) => handlersOf(harness, { grsai }).call;

const chatDoc = (
  prompt: string,
  stream: boolean,
  more: Partial<Pick<JobDoc, 'max_attempts' | 'on_unknown_submit'>> = {},
): JobDoc => {
  const input = { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: prompt }], stream };
  return { on_unknown_submit: 'resubmit', ...JobRequest.parse({ type: 'chat', input }), ...more } as JobDoc;
};

/** Lets a chat run to its end; each call is made by a worker that has just started. */
async function run(harness: Harness, doc: JobDoc, grsai?: Grsai) {
  const { id, read } = await acceptedJob(harness, {}, () => doc);
  let left: Outcome;
  do left = await callStage(harness, grsai)({ entry: { id, step: 1 }, stalled: false });
  while (left.kind === 'wait');
  return await read();
}

interface Row {
  /** The form of the answer at the emulator. */
  as: string;
  /** Whether the first answer alone has it, or all. */
  times?: string;
  stream: boolean;
  status: 'succeeded' | 'failed';
  /** The message of the completion, or the code of the error. */
  left: object | string;
  calls: number;
  /** Calls that cost no attempt: upstream was overloaded and had said nothing. */
  free?: number;
  /** What the attempts are marked with. */
  codes?: readonly (string | undefined)[];
}

const SAID = 'You said: one two three';
const text = (words: string) => ({ type: 'text', text: words });
const thought = (words: string) => ({ type: 'thinking', thinking: [text(words)] });
const detail = { type: 'reasoning.summary', summary: 'I think', index: 0, format: 'x' };
const NO_REASON = 'no_finish_reason';

const both = (row: Omit<Row, 'stream'>): Row[] => [
  { ...row, stream: false },
  { ...row, stream: true },
];

const ROWS: readonly Row[] = [
  ...both({ as: 'usage', status: 'succeeded', left: { content: SAID }, calls: 1 }),
  ...both({ as: 'parts', status: 'succeeded', left: { content: [thought('hm'), text(SAID)] }, calls: 1 }),
  ...both({ as: 'details', status: 'succeeded', left: { content: SAID, reasoning_details: [detail] }, calls: 1 }),
  ...both({ as: 'messages', status: 'succeeded', left: { content: SAID }, calls: 1 }),
  ...both({ as: 'length', status: 'succeeded', left: { role: 'assistant' }, calls: 1 }),
  ...both({ as: 'filter', status: 'failed', left: 'content_rejected', calls: 1 }),
  ...both({ as: 'safety', status: 'failed', left: 'content_rejected', calls: 1 }),
  ...both({ as: 'empty', times: 'all', status: 'failed', left: 'upstream_failed', calls: 4 }),
  ...both({ as: 'error-mid', times: '1', status: 'succeeded', left: { content: SAID }, calls: 2 }),
  { as: 'error-named', stream: false, times: '30', status: 'succeeded', left: { content: SAID }, calls: 31, free: 30 },
  { as: 'error-named', stream: true, times: 'all', status: 'failed', left: 'upstream_failed', calls: 4 },
  { as: 'no-reason', stream: false, status: 'succeeded', left: { content: SAID }, calls: 1 },
  {
    as: 'no-reason',
    stream: true,
    times: '1',
    status: 'succeeded',
    left: { content: SAID },
    calls: 2,
    codes: [NO_REASON, undefined],
  },
  { as: 'no-reason', stream: true, status: 'succeeded', left: { content: SAID }, calls: 2, codes: [NO_REASON, NO_REASON] },
];

test('when upstream answers a chat in an odd form then the job keeps all of it, or fails for what it says, by as few calls as that takes', async () => {
  const harness = await startHarness();
  for (const [n, { as, times = 'all', stream, status, left, calls, free = 0, codes }] of ROWS.entries()) {
    const directives = `[[fault=F21:as=${as},times=${times}]] [[chat-ms=0]] [[reply=${SAID}]]`;
    const prompt = `row ${n} ${directives}`;
    const record = await run(harness, chatDoc(prompt, stream));
    const completion =
      record.output?.kind === 'chat' ? (record.output.completion as { choices: [{ message: object }] }) : undefined;
    const made = harness.emulator.ledger.submitsOf({ prompt }).length;
    expect({ as, stream, status: record.status, made, attempts_used: record.attempts_used }).toEqual({
      as,
      stream,
      status,
      made: calls,
      attempts_used: calls - free,
    });
    if (typeof left === 'string') expect(record.error?.code).toBe(left);
    else expect(completion?.choices[0].message).toMatchObject(left);
    if (codes !== undefined) expect(record.attempts.map((attempt) => attempt.error_code)).toEqual(codes);
    expect(record.unstored).toBeNull();
  }
});

test('when a stream holds an error then its words are reported, and nothing else of it', async () => {
  const harness = await startHarness();
  const record = await run(harness, chatDoc('x [[fault=F21:as=error-mid,times=all]] [[chat-ms=0]]', true, { max_attempts: 1 }));
  expect(record.error).toMatchObject({
    code: 'upstream_failed',
    retryable: true,
    upstream: { status: 200, message: 'Overloaded, please retry' },
  });
});

/** An upstream that answers one call after the other with these. */
async function upstreamThatSays(...answers: readonly (readonly [status: number, type: string, body: string])[]) {
  const left = [...answers];
  const server = createServer((request, response) => {
    const [status, type, body] = left.shift() ?? [500, 'text/plain', 'asked too often'];
    request.resume();
    response.writeHead(status, { 'content-type': type }).end(body);
  });
  const url = await listen(server, onTestFinished);
  const grsai = new Grsai({ apiKey: 'sk-00112233445566778899aabbccddeeff', baseUrls: [url] });
  onTestFinished(() => grsai.close());
  return { grsai, left };
}

const unfinished = (content: string) =>
  [
    200,
    'text/event-stream',
    `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\ndata: [DONE]\n\n`,
  ] as const;

const said = (record: Awaited<ReturnType<typeof run>>) =>
  (record.output as { completion: { choices: [{ message: { content: string } }] } } | null)?.completion.choices[0].message
    .content;

const silent = JSON.stringify({ choices: [{ message: { content: '' }, finish_reason: 'length' }] });

test.each([
  ['has none either and says less', unfinished('all that')],
  ['says nothing since its room was used up', [200, 'application/json', silent]],
] as const)('when the answer after one without a finish_reason %s then the first is the result', async (_what, second) => {
  const harness = await startHarness();
  const { grsai, left } = await upstreamThatSays(unfinished('all that there is to say'), second);
  const record = await run(harness, chatDoc('x', true), grsai);
  expect([record.status, said(record), left]).toEqual(['succeeded', 'all that there is to say', []]);
});

test('when the answer after one without a finish_reason has one then it is the result, however long it is', async () => {
  const harness = await startHarness();
  const whole = JSON.stringify({ choices: [{ message: { content: 'short' }, finish_reason: 'stop' }] });
  const { grsai } = await upstreamThatSays(unfinished('all that there is to say'), [200, 'application/json', whole]);
  const record = await run(harness, chatDoc('x', true), grsai);
  expect([record.status, said(record), record.attempts_used]).toEqual(['succeeded', 'short', 2]);
});

test.each([
  ['is refused', [413, 'text/html', '<html></html>']],
  ['breaks off', [200, 'text/event-stream', 'data: {"choices":[{"delta":{"cont']],
] as const)(
  'when the call after an answer without a finish_reason %s at its last attempt then that answer is the result',
  async (_what, second) => {
    const harness = await startHarness();
    const { grsai } = await upstreamThatSays(unfinished('an answer'), second);
    const record = await run(harness, chatDoc('x', true, { max_attempts: 2 }), grsai);
    expect([record.status, said(record), record.attempts_used, record.unstored]).toEqual(['succeeded', 'an answer', 2, null]);
    expect(record.attempts).toMatchObject([
      { outcome: 'retry', error_code: NO_REASON },
      { outcome: expect.stringMatching(/failed|unknown/) },
    ]);
  },
);

test.each([
  ['has one attempt', { max_attempts: 1 }],
  ['may not be called twice', { on_unknown_submit: 'fail' }],
] as const)(
  'when an answer without a finish_reason comes to a chat that %s then it is the result at once',
  async (_what, more) => {
    const harness = await startHarness();
    const { grsai, left } = await upstreamThatSays(unfinished('an answer'), unfinished('another'));
    const record = await run(harness, chatDoc('x', true, more), grsai);
    expect([record.status, said(record), left.length]).toEqual(['succeeded', 'an answer', 1]);
  },
);

test('when a stream breaks off without [DONE] then its outcome is unknown, as for any lost answer', async () => {
  const harness = await startHarness();
  const { grsai } = await upstreamThatSays([
    200,
    'text/event-stream',
    'data: {"choices":[{"delta":{"content":"x"}}]}\n\ndata: {"cho',
  ]);
  const record = await run(harness, chatDoc('x', true, { on_unknown_submit: 'fail' }), grsai);
  expect(record.error).toMatchObject({ code: 'submit_unknown' });
});
