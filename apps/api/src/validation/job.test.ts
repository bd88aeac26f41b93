import { JobRequest } from '@grsai-jobs/jobs';
import { createSliceQueue } from '@grsai-jobs/runtime';
import { expect, test } from 'vitest';
import { tryJob } from './job.ts';
import { tryValidate } from './validate.ts';

const slices = createSliceQueue().of('acme');
const chat = (messages: unknown, more = {}) => ({ type: 'chat', input: { model: 'm', messages, ...more } });
const many = <T>(count: number, item: T): T[] => Array.from({ length: count }, () => item);
/** Counts how often it is looked at. */
function watched(item: object): { item: object; looks: () => number } {
  let looks = 0;
  const get = (target: object, name: PropertyKey): unknown => {
    looks += 1;
    return Reflect.get(target, name);
  };
  return { item: new Proxy(item, { get }), looks: () => looks };
}
const bad = { role: 'user', content: many(60, { type: 'text', text: 1 }) };

test.each([
  ['messages', chat(many(60_000, { role: 'user', content: 'hi' })), '/input/messages', 'messages are limited to 1000'],
  ['parts', chat([{ role: 'user', content: many(60_000, 1) }]), '/input/messages/0/content', 'must have at most 100 items'],
  ['stops', chat([{ role: 'user', content: 'hi' }], { stop: many(60_000, 1) }), '/input/stop', 'must have at most 4 items'],
  [
    'images',
    { type: 'image', input: { model: 'm', prompt: 'p', images: many(60_000, 1) } },
    '/input/images',
    'must have at most 64 items',
  ],
])('when a job has far too many %s then that is all that is reported', async (_what, job, pointer, message) => {
  expect(await tryJob(JobRequest, job, slices)).toEqual({ errors: [{ pointer, message }] });
});

test('when messages have thousands of faults then the first are reported, and the last are not looked at', async () => {
  const last = watched({ role: 'user', content: 'hi' });
  const read = await tryJob(JobRequest, chat([...many(998, bad), last.item]), slices);
  expect(read).toMatchObject({ errors: many(120, { message: expect.any(String) }) });
  expect(last.looks()).toBe(2);
});

test('when an object has a thousand unknown keys then a hundred are reported', async () => {
  const keys = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`k${i}`, 1]));
  const read = await tryJob(JobRequest, { ...chat([{ role: 'user', content: 'hi' }]), ...keys }, slices);
  expect('errors' in read && read.errors.length).toBe(100);
});

test.each([
  ['good', chat(many(1000, { role: 'user', content: 'hi' }))],
  ['with one fault behind many messages', chat([...many(50, { role: 'user', content: 'hi' }), { role: 'nobody' }])],
  ['with a fault beside them', { ...chat(many(50, { role: 'user', content: 'hi' })), typo: 1 }],
  ['no chat', { type: 'image', input: 1 }],
  ['no object', 1],
])('when a job is %s then it is read as by its schema', async (_what, job) => {
  expect(await tryJob(JobRequest, job, slices)).toEqual(tryValidate(JobRequest, job));
});

const LONG = Buffer.alloc(300_000, 7).toString('base64');
const part = (url: string) => ({ type: 'image_url', image_url: { url } });
const withPictures = (...urls: string[]) => chat([{ role: 'user', content: [{ type: 'text', text: 'x' }, ...urls.map(part)] }]);
const picture = (images: unknown, more = {}) => ({ type: 'image', input: { model: 'm', prompt: 'p', images, ...more } });

test.each([
  ['a long picture', picture([`data:image/png;base64,${LONG}`])],
  ['long pictures in other spellings', picture([LONG, LONG.replaceAll('A', '\nA'), `data:;base64,${LONG}`], { mask: LONG })],
  ['long pictures of a chat', withPictures(LONG, 'https://a.example/x.png', `data:image/*;base64,${LONG}`)],
  ['long pictures of a long chat', chat([...many(50, { role: 'user', content: 'hi' }), withPictures(LONG).input.messages])],
  [
    'a long picture of a long chat',
    chat([...many(50, { role: 'user', content: 'hi' }), { role: 'user', content: [part(LONG)] }]),
  ],
  ['a long picture with a foreign character', picture(['https://a.example/x.png', `${LONG.slice(0, -8)}!${LONG.slice(-7)}`])],
  ['a long picture and a fault', { ...picture([`data:image/png;base64,${LONG}`]), typo: 1 }],
  ['a long address', picture([`https://a.example/${LONG}`])],
  ['long pictures of a chat, one wrong', withPictures(LONG, `data:text/plain;base64,${LONG}`)],
  ['too many long pictures', picture(many(17, LONG))],
  ['long pictures that are too much together', picture(many(5, `data:image/png;base64,${LONG.repeat(10)}`))],
])('when a job has %s then it is read as by its schema', async (_what, job) => {
  expect(await tryJob(JobRequest, job, slices)).toEqual(tryValidate(JobRequest, job));
});
