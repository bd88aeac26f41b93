import { expect, test } from 'vitest';
import { entryStage } from './doc.ts';
import { JobRequest } from './request.ts';

const image = { type: 'image', input: { model: 'nano-banana-2', prompt: 'a lighthouse' } };
const data = (bytes: number) => `data:image/png;base64,${'A'.repeat(Math.ceil((bytes * 4) / 3))}`;
const refusal = (body: unknown) => JobRequest.safeParse(body).error?.issues[0]?.message;

test('when only what is needed is sent then the defaults are filled in', () => {
  expect(JobRequest.parse({ ...image, webhook: { url: 'https://a.example' } })).toEqual({
    ...image,
    via: 'generate',
    resubmit_failed: 'auto',
    webhook: { url: 'https://a.example', events: ['job.succeeded', 'job.failed', 'job.canceled', 'job.expired'] },
    metadata: {},
    priority: 'normal',
    expires_in_s: 86_400,
    max_attempts: 4,
    output: { url_ttl_s: 86_400 },
  });
});

test.each([
  ['a URL', 'https://assets.example.net/ref/lamp.jpg'],
  ['a data URL', 'data:image/jpeg;base64,/9j/4AAQSkZJRg=='],
  ['bare base64', 'iVBORw0KGgoAAAANSUhEUg=='],
])('when a reference image is %s then it is taken', (_what, picture) => {
  expect(JobRequest.safeParse({ ...image, input: { ...image.input, images: [picture] } }).success).toBe(true);
});

test.each([
  ['17 inline images', { images: Array(17).fill(data(10)) }, /at most 16 inline images/],
  ['inline images over 16 MiB together', { images: [data(9 * 2 ** 20), data(8 * 2 ** 20)] }, /16 MiB together/],
  ['a URL that is none', { images: ['https://a b'] }, /a URL that can be read/],
  ['a URL over 2048', { images: [`https://a.example/${'x'.repeat(2048)}`] }, /2048/],
  ['an image of another scheme', { images: ['ftp://a.example/x.png'] }, /http\(s\) URL, a data URL/],
])('when there are %s then the reason says so', (_what, input, reason) => {
  expect(refusal({ ...image, input: { ...image.input, ...input } })).toMatch(reason);
});

test.each(['nano-banana-2', 'gemini-3.1-pro', 'openai/gpt-5.5:free', 'flux_pro-1.1@latest', 'x'])(
  'when a model is called %s then it is taken',
  (model) => {
    expect(JobRequest.safeParse({ ...image, input: { ...image.input, model } }).success).toBe(true);
  },
);

test.each([
  'insufficient credits',
  'nano banana',
  'apikey\nerror',
  'x\u0000',
  '余额不足',
  'gpt-5"',
  'a\u00a0b',
  ' m',
  '模型',
  'm{}',
  '%20',
])('when a model is called %j then the reason says what a name may have', (model) => {
  const chat = { type: 'chat', input: { model, messages: [{ role: 'user', content: 'hi' }] } };
  expect(refusal({ ...image, input: { ...image.input, model } })).toMatch(/^model may have letters, digits and/);
  expect(refusal(chat)).toMatch(/^model may have letters, digits and/);
});

test('when a model has no name then that alone is said', () => {
  const said = JobRequest.safeParse({ ...image, input: { ...image.input, model: '' } }).error?.issues.map(
    ({ message }) => message,
  );
  expect(said).toEqual(['model must not be empty']);
});

test('when an image goes by generations it is a synchronous call, else it is submitted', () => {
  expect(entryStage({ type: 'chat' })).toBe('call');
  expect(entryStage({ type: 'image', via: 'generations' })).toBe('call');
  expect(entryStage({ type: 'image', via: 'generate' })).toBe('submit');
});
