import { describe, expect, test } from 'vitest';
import { replyFrom } from '../test/support.ts';
import { ackId } from './ack.ts';
import { GrsaiConnectionError } from './errors.ts';

const ID = '6-3d0c9f52-7a41-4e0b-9c55-1b2a60f4d7e1';

const idOf = (body: unknown, status = 200): string | undefined =>
  ackId(replyFrom(status, typeof body === 'string' ? body : JSON.stringify(body)));

describe('the id of a submit is found', () => {
  test.each<[string, unknown]>([
    ['taskID', { taskID: ID }],
    ['TaskId, in an envelope of the same spelling', { Code: 0, Msg: 'ok', Data: { TaskId: ID } }],
    ['Id', { Id: ID, Status: 'running' }],
    ['job_id', { job_id: ID, status: 'running' }],
    ['uuid', { uuid: ID, status: 'running' }],
    ['the number of the call, where the word of a task stands beside it', { request_id: ID, status: 'IN_QUEUE' }],
  ])('under the name %s', (_, body) => expect(idOf(body)).toBe(ID));

  test.each<[string, unknown]>([
    ['an envelope whose data is JSON in a text', { code: 0, msg: 'success', data: JSON.stringify({ id: ID }) }],
    ['an envelope with a number of its own', { id: 'req-1', code: 0, data: { task_id: ID, task_status: 'x' } }],
    ['an envelope with a status of its own', { status: 'success', data: ID }],
    ['an envelope with a status that is a number', { status: 200, data: { id: ID } }],
    ['an envelope that says yes', { status: true, data: ID }],
    ['an envelope whose code is 1 and whose words are fine', { code: 1, msg: 'success', data: { id: ID } }],
    ['task', { task: { id: ID, status: 'running' } }],
    ['task, as a text', { task: ID, status: 'running' }],
    ['result, as a text', { code: 0, msg: 'success', result: ID }],
    ['body', { code: 0, body: { id: ID } }],
    ['response and data', { response: { data: { id: ID } } }],
    ['payload', { payload: { id: ID } }],
    ['a list of ids', { task_ids: [ID] }],
    ['a list of tasks', { data: [{ id: ID }, { id: '6-b' }] }],
    ['a list of texts', { code: 0, data: [ID] }],
    ['a list of lists', [[{ id: ID, status: 'running' }]]],
    ['a list with words', [0, 'success', { id: ID }]],
    ['an object of a name that nobody knows', { code: 0, msg: 'success', data: { createTask: { orderNo: ID } } }],
    ['JSON in a text of a name that nobody knows', { code: 0, taskInfo: JSON.stringify({ no: ID }) }],
    ['four envelopes', { data: { data: { data: { data: { id: ID } } } } }],
  ])('in %s', (_, body) => expect(idOf(body)).toBe(ID));

  test.each<[string, string]>([
    ['a bare text', ID],
    ['a bare text as JSON', `"${ID}"`],
    ['a bare text in an event', `data: ${ID}\n\n`],
    ['JSON that was written as JSON three times', JSON.stringify(JSON.stringify(JSON.stringify({ id: ID })))],
    ['YAML', `id: ${ID}\nstatus: running\n`],
    ['a form', `status=running&id=${ID}`],
    ['XML', `<response><task_id>${ID}</task_id></response>`],
    ['names without quotes', `{id: ${ID}, status: running}`],
    ['JSON that was cut off behind it', `{"id":"${ID}","status":"runn`],
    ['JSON that was cut off before its last bracket', `{"code":0,"msg":"success","data":{"id":"${ID}"}`],
    ['JSON with a comma too many', `{"id":"${ID}",}`],
    ['JSON with a number that is none', `{"id":"${ID}","progress":NaN}`],
    ['JSON with a line end in a text', `{"id":"${ID}","note":"a\nb"}`],
    ['JSON with single quotes', `{'id': '${ID}', 'status': 'running'}`],
    ['a call of a function', `callback({"id":"${ID}"})`],
    ['JSON behind a guard', `)]}',\n{"id":"${ID}"}`],
    ['JSON behind a warning', `<br />\n<b>Warning</b>: x in y.php\n{"id":"${ID}","status":"running"}`],
    ['events in events', `data: data: {"id":"${ID}"}\n\n`],
    ['events in large letters', `DATA: {"id":"${ID}"}\n\n`],
  ])('in %s', (_, text) => expect(idOf(text)).toBe(ID));

  test.each<[string, string]>([
    ['as it is', '{"id":12345678901234567891,"status":"running"}'],
    ['with a comma too many', '{"id":12345678901234567891,"status":"running",}'],
    ['in JSON that is written as JSON again', '"{\\"id\\":12345678901234567891}"'],
    ['in JSON in a text', '{"code":0,"data":"{\\"id\\":12345678901234567891}"}'],
    ['in an event', 'data: {"id":12345678901234567891}\n\n'],
  ])('as a number that is too large for one, %s', (_, text) => expect(idOf(text)).toBe('12345678901234567891'));

  test('in an answer that breaks off behind it', () => {
    const cut = new GrsaiConnectionError({ code: 'connection_lost', outcome: 'unknown', message: 'reset' });
    expect(ackId(replyFrom(200, `{"id":"${ID}","sta`, { cut }))).toBe(ID);
  });
});

describe('no id of a submit is found', () => {
  test.each<[string, unknown]>([
    ['a number that is none', { id: 0, status: 'failed', error: 'apikey error' }],
    ['the same as a text', { id: '0', status: 'running' }],
    ['-1', { id: -1, status: 'failed', error: 'x' }],
    ['the word null', { id: 'null', status: 'running' }],
    ['zeros', { id: '00000000-0000-0000-0000-000000000000' }],
    ['words in the place of the task', { code: 0, data: 'success' }],
    ['words that refuse in the place of the task', { code: -1, msg: 'fail', data: '余额不足' }],
    ['a sentence in the place of the task', { code: 0, data: 'no 1 is free' }],
    ['the number of a call that was refused', { request_id: ID, code: -1, msg: 'apikey error' }],
    ['the number of a call alone', { code: 0, data: { requestId: ID } }],
    ['several of which one could be it', { code: 0, data: { a: ID, b: ID.replace('6-', '7-') } }],
    ['an answer that says no', { success: false, message: 'the moon is full', no: ID }],
    ['a task that failed', { status: 'failed', no: ID }],
    ['an echo of the request', { code: 0, data: { prompt: ID, request: { model: ID } } }],
    ['a word in the place of the result', { result: 'fail', msg: 'x' }],
    ['a page', `<html><script>{"id":"${ID}"}</script></html>`],
    ['a text that repeats the request', `bad request: "{\\"id\\":\\"${ID}\\"}"`],
    ['words that refuse, before what was sent', `load is too high: {"id":"${ID}","status":"running"}`],
    ['the same of a failure', `生成失败\n{"id":"${ID}","status":"running"}`],
    ['an id that is cut off', '{"id":"6-3d0c9f52-7a4'],
    ['a number that is cut off', '{"id":123456'],
    ['a refusal that is cut off', `{"code":-1,"msg":"apikey credits not enough","data":{"id":"${ID}"`],
  ])('in %s', (_, body) => expect(idOf(body)).toBeUndefined());

  test('in a text of the caller', () => {
    const words = () => ({ texts: [ID], models: [] });
    expect(ackId(replyFrom(200, JSON.stringify({ data: { style: ID } }), { words }))).toBeUndefined();
  });

  test('in a text of another status', () => {
    expect(idOf(`{"id":"${ID}","sta`, 502)).toBeUndefined();
    expect(idOf(ID, 500)).toBeUndefined();
  });
});
