import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type JobError, jobError, SIGNATURE, signatureOf } from './index.ts';

const failed = (message: string, more: Partial<JobError> = {}): JobError => ({
  ...jobError('upstream_failed', 'generating', { upstream: { status: 500, message } }),
  ...more,
});

test.each([
  ['numbers', 'timeout after 30.5s, attempt 3 of 10', 'timeout after <n>s, attempt <n> of <n>'],
  ['a link', 'cannot read https://cdn.example/a/1.png?x=1 today', 'cannot read <url> today'],
  ['an inline image', 'bad image data:image/png;base64,iVBORw0KGgo=', 'bad image <url>'],
  ['a task id', 'task 14-5a0e8c1d-77aa failed', 'task <n> failed'],
  ['a job id', 'job_01K9ZV5W3N8Q2R4T6V8X0Z2B4D is gone', '<n> is gone'],
  ['a uuid', 'request 9b2f6c1e-0a4d-4c55-8d9e-1f2a3b4c5d6e', 'request <n>'],
  ['hex', 'at 0x7ffe and 5f3a9c01', 'at <n> and <n>'],
  [
    'quoted parts',
    `the field "prompt one" and 'two' and \`three\` of “four”`,
    'the field <quoted> and <quoted> and <quoted> of <quoted>',
  ],
  ['an apostrophe', "it can't be done and won't be", "it can't be done and won't be"],
  ['words that look like hex', 'a defaced facade', 'a defaced facade'],
  ['other scripts', '任务 123 失败：内容违规', '任务 <n> 失败：内容违规'],
  [
    'an answer of upstream as JSON',
    '{"error":{"message":"The prompt \\"x\\" violates our policy\\u3002","type":"rix_api_error","code":7}}',
    'The prompt <quoted> violates our policy。 rix_api_error',
  ],
  ['a task as JSON', '{"id":"14-5a0e8c1d-77aa","results":[],"status":"failed","error":"no node"}', 'no node'],
  ['a task as JSON that says its status only', '{"id":"","status":"violation","error":""}', 'violation'],
  ['JSON that was cut off', '{"error":{"message":"generation fai', 'generation fai'],
  ['JSON without words', '{"code": 12}', '{<quoted>: <n>}'],
  ['white space', '  two\n\n lines ', 'two lines'],
])('when a text holds %s then only what failures share is left', (_what, message, text) => {
  expect(signatureOf(failed(message)).text).toBe(text);
});

test('when upstream said nothing then our own message is the text', () => {
  const error = jobError('crashed', 'storing');
  expect(signatureOf(error)).toMatchObject({ code: 'crashed', stage: 'storing', upstream_status: null });
  expect(signatureOf(error).text).toContain('died five times');
});

test.each([
  ['stage', { stage: 'storing' }],
  ['code', { code: 'upstream_timeout' }],
  ['status', { upstream: { status: 502, message: 'x' } }],
  ['words', { upstream: { status: 500, message: 'y' } }],
] as const)('when the %s differs then the signature does', (_what, more) => {
  expect(signatureOf(failed('x', more)).id).not.toBe(signatureOf(failed('x')).id);
});

const hex = (least: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${least},24}$`)).map((text) => `${text}0`);
/** Pairs of values that two failures of one cause may differ in. */
const pairs = fc.constantFrom(
  fc.nat().map(String),
  fc.float({ noNaN: true, min: 0, max: 1e6 }).map((n) => n.toFixed(2)),
  fc.uuid(),
  hex(8),
  fc.stringMatching(/^[0-9A-HJKMNP-TV-Z]{25}$/).map((text) => `job_${text}7`),
  fc.webUrl().filter((url) => !/["'`<>]/.test(url)),
  fc.string({ maxLength: 30 }).map((text) => `"${text.replaceAll(/["\n]/g, '')}"`),
);

test('property: when two texts differ only in numbers, ids, links, hex or quoted parts then they are one failure', () => {
  fc.assert(
    fc.property(
      pairs.chain((of) => fc.tuple(of, of)),
      fc.constantFrom('failed at % again', '%', 'the task % of the account is over: 任务'),
      ([a, b], frame) => {
        expect(signatureOf(failed(frame.replace('%', () => a))).id).toBe(signatureOf(failed(frame.replace('%', () => b))).id);
      },
    ),
  );
});

test('property: whatever upstream says, a signature is short, has no digits, and reading it again changes nothing', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ maxLength: 5000 }), fc.string({ unit: 'grapheme', maxLength: 300 })), (message) => {
      const { id, text } = signatureOf(failed(message));
      expect(id).toMatch(SIGNATURE);
      expect(text.length).toBeLessThanOrEqual(200);
      if (message.trim() !== '') expect(text).not.toMatch(/\d/);
      expect(signatureOf(failed(message))).toEqual(signatureOf(failed(message)));
    }),
  );
});

test('when a text is long and hostile then it is read in no time', () => {
  const started = performance.now();
  for (const part of ['a1-', '"', "'", '0x', 'http://', 'a', '1,', ' ']) signatureOf(failed(part.repeat(100_000)));
  expect(performance.now() - started).toBeLessThan(1000);
});
