import { describe, expect, test } from 'vitest';
import { replyFrom } from '../test/support.ts';
import { refusal } from './refusal.ts';
import { readTask, type TaskState } from './task-state.ts';

const WORDS = '余额不足';

const read = (status: number, body: unknown) => refusal(replyFrom(status, JSON.stringify(body)));

/** The same refusal as gateways write it. */
const SPELLINGS: readonly unknown[] = [
  { error: { msg: WORDS } },
  { error: { error: { message: WORDS } } },
  { error: [{ message: WORDS }] },
  { errors: [{ message: WORDS }] },
  { errors: [WORDS] },
  { err: WORDS },
  { Error: { Message: WORDS } },
  { error: 1, message: WORDS },
  { error: 'true', msg: WORDS },
  { error: { code: 17, message: '' }, msg: WORDS },
  { Code: -1, Msg: WORDS },
  { errcode: 1, errmsg: WORDS },
  { err_code: 1, err_msg: WORDS },
  { error_code: 1, error_msg: WORDS },
  { errorCode: 'X', errorMessage: WORDS },
  { code: -1, data: WORDS },
  { code: -1, msg: 'fail', data: WORDS },
  { code: -1, data: { msg: WORDS } },
  { code: -1, detail: WORDS },
  { code: 'INSUFFICIENT', message: WORDS },
  { code: 'insufficient_user_quota', message: WORDS },
  { code: 0, msg: WORDS, data: null },
  { detail: [{ msg: WORDS }] },
  { title: WORDS },
  { status: 'failed', fail_reason: WORDS },
  { status: 'failed', errorMessage: WORDS },
  { id: 0, status: 'failed', error: WORDS },
  [{ error: WORDS }],
];

describe('a refusal is of its class, and nothing was made, however it is spelled', () => {
  test.each(SPELLINGS.map((body) => [body]))('%j', (body) => {
    for (const status of [200, 400]) expect(read(status, body)).toMatchObject({ outcome: 'refused', category: 'balance' });
  });
});

test('a name of a code says it as well as words do', () => {
  expect(read(400, { code: 'insufficient_user_quota', message: 'x' })).toMatchObject({ category: 'balance' });
  expect(read(400, { code: 'model_not_found', message: 'x' })).toMatchObject({ category: 'model' });
});

test.each([
  { code: 1, msg: 'success' },
  { code: 200, message: 'OK' },
  { code: 0, msg: '提交成功' },
  { error: { code: 200, message: 'success' } },
])('an answer that says that all is well, and no id, is no refusal: %j', (body) =>
  expect(read(200, body)).toMatchObject({ outcome: 'unknown' }),
);

test.each([301, 302, 307, 308, 410])('HTTP %i is about the address, and not about the call', (status) => {
  expect(refusal(replyFrom(status, ''))).toMatchObject({ outcome: 'refused', category: 'unknown', suspect: 'address' });
});

describe('a task that failed says why', () => {
  const state = (body: object): TaskState => {
    const got = readTask(replyFrom(200, JSON.stringify({ id: '6-a', ...body })), '6-a');
    if (got instanceof Error) throw got;
    return got;
  };

  test.each<[string, object]>([
    ['message', { status: 'failed', message: '内容违规' }],
    ['fail_reason', { status: 'failed', fail_reason: '内容违规' }],
    ['errorMessage', { state: 'failed', errorMessage: '内容违规' }],
    ['errors', { taskStatus: 'FAILURE', errors: [{ message: '内容违规' }] }],
    ['msg beside a code', { status: 'TASK_STATUS_FAILED', code: 1301, msg: '内容违规' }],
    ['detail', { status: '生成失败', detail: '内容违规' }],
  ])('under the name %s, and is not taken for one that may be made again', (_, body) => {
    expect(state(body)).toMatchObject({ status: 'violation', category: 'moderation' });
  });

  test.each(['Rejected', 'ABORTED', 'expired', '失败', '任务失败', 'TASK_FAILED', 'timed-out'])('by the word %j', (status) => {
    expect(state({ status, error: 'generate failed' })).toMatchObject({ status: 'failed' });
  });

  test.each(['violated', 'NSFW', '违规'])('by the word %j, of the policy', (status) => {
    expect(state({ status })).toMatchObject({ status: 'violation' });
  });
});

describe('a task is read', () => {
  const done = { id: '6-a', status: 'succeeded', results: [{ url: 'https://f.example/a.png' }] };
  const read = (body: unknown) => readTask(replyFrom(200, typeof body === 'string' ? body : JSON.stringify(body)), '6-a');

  test.each<[string, unknown]>([
    ['data as JSON in a text', { code: 0, data: JSON.stringify(done) }],
    ['task', { code: 0, task: done }],
    ['data and task', { code: 0, data: { task: done } }],
    ['response', { response: done }],
    ['payload', { payload: done }],
    ['names in large letters', { ID: '6-a', STATUS: 'SUCCEEDED', RESULTS: [{ URL: 'https://f.example/a.png' }] }],
    ['a comma too many', JSON.stringify(done).replace('}]', '},]')],
    ['a number that is none', '{"id":"6-a","status":"succeeded","progress":NaN,"results":[{"url":"https://f.example/a.png"}]}'],
    ['a line end in a text', JSON.stringify({ ...done, note: 'a b' }).replace('a b', 'a\nb')],
    ['progress 100 and a word that it runs', { ...done, status: 'running', progress: '100' }],
  ])('out of %s', (_, body) => {
    expect(read(body)).toMatchObject({ status: 'succeeded', urls: ['https://f.example/a.png'] });
  });

  test.each<[string, unknown, string]>([
    ['success of the call is none of the task', { status: 'success', data: { id: '6-a', progress: 40 } }, 'running'],
    ['a part of the result at 100', { ...done, status: 'partial_success', progress: 100 }, 'running'],
    ['progress 100 without a result', { id: '6-a', status: 'running', progress: 100 }, 'running'],
    ['progress 100 with trouble', { ...done, status: 'running', progress: 100, error: 'retrying' }, 'running'],
    ['words that it is gone', { code: -1, msg: '任务不存在或已过期' }, 'missing'],
  ])('with care: %s', (_, body, status) => expect(read(body)).toMatchObject({ status }));
});
