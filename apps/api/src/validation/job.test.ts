import { JobRequest } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { tryJob } from './job.ts';
import { tryValidate } from './validate.ts';

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
])('when a job has far too many %s then that is all that is told', (_what, job, pointer, message) => {
  expect(tryJob(JobRequest, job)).toEqual({ errors: [{ pointer, message }] });
});

test('when messages have thousands of faults then the first are told, and the last are not looked at', () => {
  const last = watched({ role: 'user', content: 'hi' });
  const read = tryJob(JobRequest, chat([...many(998, bad), last.item]));
  expect(read).toMatchObject({ errors: many(120, { message: expect.any(String) }) });
  expect(last.looks()).toBe(1);
});

test('when an object has a thousand unknown keys then a hundred are told', () => {
  const keys = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`k${i}`, 1]));
  const read = tryJob(JobRequest, { ...chat([{ role: 'user', content: 'hi' }]), ...keys });
  expect('errors' in read && read.errors.length).toBe(100);
});

test.each([
  ['good', chat(many(1000, { role: 'user', content: 'hi' }))],
  ['with one fault behind many messages', chat([...many(50, { role: 'user', content: 'hi' }), { role: 'nobody' }])],
  ['with a fault beside them', { ...chat(many(50, { role: 'user', content: 'hi' })), typo: 1 }],
  ['no chat', { type: 'image', input: 1 }],
  ['no object', 1],
])('when a job is %s then it is read as by its schema', (_what, job) => {
  expect(tryJob(JobRequest, job)).toEqual(tryValidate(JobRequest, job));
});
