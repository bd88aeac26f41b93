import { expect, test } from 'vitest';
import { entryStage } from './doc.ts';
import { JobRequest } from './request.ts';

const image = { type: 'image', input: { model: 'nano-banana-2', prompt: 'a lighthouse' } };
const data = (bytes: number) => `data:image/png;base64,${'A'.repeat(Math.ceil((bytes * 4) / 3))}`;
const refusal = (body: unknown) => JobRequest.safeParse(body).error?.issues[0]?.message;

test('when only what is needed is sent then the defaults of design §3 are filled in', () => {
  expect(JobRequest.parse({ ...image, webhook: { url: 'https://a.example' } })).toEqual({
    ...image,
    via: 'generate',
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

test('when an image goes by generations it is a held call, else it is submitted', () => {
  expect(entryStage({ type: 'chat' })).toBe('call');
  expect(entryStage({ type: 'image', via: 'generations' })).toBe('call');
  expect(entryStage({ type: 'image', via: 'generate' })).toBe('submit');
});
