import { describe, expect, test } from 'vitest';
import { json, start, TASK_MS, type Task } from './client.ts';

/** N12: what the service takes, refuses, and takes without being able to do it. */

const PNG_HEAD = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex').toString('base64');

const REFUSED: readonly [string, object, string][] = [
  ['an unknown model', { model: 'nope' }, 'model not found'],
  ['a removed model', { model: 'nano-banana' }, 'model not found'],
  ['a chat model', { model: 'gemini-3.1-pro' }, 'model not found'],
  ['a missing prompt', { prompt: undefined }, 'Invalid input parameters'],
  ['an empty prompt', { prompt: '  ' }, 'Invalid input parameters'],
  ['images that are no list', { images: 'https://assets.example.net/a.png' }, 'Invalid input parameters'],
  ['an image that is no image', { images: ['hello there'] }, 'The image format is incorrect, please use png or jpeg'],
  [
    'base64 that is no image',
    { images: [Buffer.from('hello there, this is text').toString('base64')] },
    'The image format is incorrect, please use png or jpeg',
  ],
  ['a video with a ratio', { model: 'minimax-h3', aspectRatio: '16:9' }, 'aspectRatio must be portrait, landscape or square'],
  ['a video that is too long', { model: 'minimax-h3', duration: 16 }, 'Invalid input parameters'],
  ['a video that is too long for 1080p', { model: 'minimax-h3', duration: 11, resolution: '1080p' }, 'Invalid input parameters'],
];

const TAKEN: readonly [string, object][] = [
  ['a base ratio', { aspectRatio: '21:9' }],
  ['an extreme ratio of nano-banana-2', { aspectRatio: '1:8', imageSize: '4K' }],
  ['auto', { aspectRatio: 'auto' }],
  [
    'image URLs, data URLs and bare base64 mixed',
    { images: ['https://assets.example.net/a.jpg', `data:image/png;base64,${PNG_HEAD}`, PNG_HEAD] },
  ],
  ['pixels at a vip model', { model: 'gpt-image-2-vip', aspectRatio: '3840x2160' }],
  ['the smallest area', { model: 'gpt-image-2-vip', aspectRatio: '1024x640' }],
  ['a quality of sunburst', { model: 'gpt-image-2.5-sunburst', aspectRatio: '1024x1024', quality: 'max' }],
  ['a ratio of gpt-image-2', { model: 'gpt-image-2', aspectRatio: '9:21' }],
  ['1K pixels at gpt-image-2', { model: 'gpt-image-2', aspectRatio: '1024x1024' }],
  ['imageSize at a model that ignores it', { model: 'gpt-image-2', imageSize: '4K' }],
  ['a video', { model: 'minimax-h3', aspectRatio: 'portrait', duration: 10, resolution: '1080p' }],
];

const IMPOSSIBLE: readonly [string, object][] = [
  ['an extreme ratio at pro', { model: 'nano-banana-pro', aspectRatio: '1:8' }],
  ['a size that the model lacks', { model: 'nano-banana-pro-vip', imageSize: '4K' }],
  ['a ratio at a vip model', { model: 'gpt-image-2-vip', aspectRatio: '16:9' }],
  ['an edge that is no multiple of 16', { model: 'gpt-image-2-vip', aspectRatio: '1025x1024' }],
  ['an edge above 3840', { model: 'gpt-image-2-vip', aspectRatio: '3856x2048' }],
  ['a shape steeper than 3:1', { model: 'gpt-image-2-vip', aspectRatio: '3840x1264' }],
  ['too few pixels', { model: 'gpt-image-2-vip', aspectRatio: '1024x624' }],
  ['too many pixels', { model: 'gpt-image-2-vip', aspectRatio: '3840x2176' }],
  ['4K pixels at gpt-image-2', { model: 'gpt-image-2', aspectRatio: '3840x2160' }],
  ['a quality that the model lacks', { model: 'gpt-image-2.5-flare', aspectRatio: '1024x1024', quality: 'max' }],
];

const order = (fields: object): object => ({ model: 'nano-banana-2', prompt: 'x', replyType: 'async', ...fields });

describe('an order with', () => {
  test.each(REFUSED)('%s is refused in the shape of a task, and costs nothing', async (_name, fields, error) => {
    const { emulator, post } = await start();
    const reply = await post('/v1/api/generate', order(fields));
    expect([reply.status, json(reply)]).toEqual([400, { id: '', status: 'failed', error }]);
    expect(emulator.ledger).toMatchObject({ tasks: [], creditsTaken: 0, submits: [{ outcome: 'refused', error }] });
  });

  test.each(TAKEN)('%s succeeds', async (_name, fields) => {
    const { emulator, submit, pollTask } = await start();
    const id = await submit('x', {}, fields);
    await emulator.advance(TASK_MS);
    expect(json<Task>(await pollTask(id)).status).toBe('succeeded');
  });

  test.each(IMPOSSIBLE)('%s fails after its time, is refused, or never ends, as the settings say', async (_name, fields) => {
    const { emulator, submit, pollTask, post } = await start();
    const failing = await submit('x', {}, fields);
    expect(json<Task>(await pollTask(failing)).status).toBe('running');
    await emulator.advance(TASK_MS);
    expect(json<Task>(await pollTask(failing)).status).toBe('failed');
    emulator.configure({ badSize: 'refuse' });
    expect((await post('/v1/api/generate', order(fields))).status).toBe(400);
    emulator.configure({ badSize: 'stall' });
    const stalled = await submit('x', {}, fields);
    await emulator.advance(20 * TASK_MS);
    expect(json<Task>(await pollTask(stalled))).toMatchObject({ status: 'running', progress: 99 });
  });

  test('names in snake_case is read without them', async () => {
    const { emulator, post } = await start();
    const call = post('/v1/api/generate', {
      model: 'nano-banana-2',
      prompt: 'x',
      reply_type: 'async',
      aspect_ratio: '99:1',
      image_size: '9K',
    });
    await emulator.waitFor(() => emulator.ledger.submits.length === 1);
    await emulator.advance(TASK_MS);
    expect(json<Task>(await call).status).toBe('succeeded');
  });

  test('a body that is no JSON is refused', async () => {
    const { post } = await start();
    expect([(await post('/v1/api/generate', '{')).status, (await post('/v1/chat/completions', '[]')).status]).toEqual([400, 400]);
  });

  test('a body above the limit meets the 413 page of the front proxy', async () => {
    const { post } = await start({ bodyLimit: 1000 });
    const reply = await post('/v1/api/generate', order({ prompt: 'x'.repeat(500_000) }));
    expect([reply.status, reply.headers['content-type']]).toEqual([413, 'text/html']);
  });

  test('a model that only the settings know is taken', async () => {
    const { submit, pollTask } = await start({ models: { 'tomorrow-1': 'live' } });
    expect((await pollTask(await submit('x', {}, { model: 'tomorrow-1' }))).status).toBe(200);
  });
});

describe('a path that the service does not have', () => {
  test.each(['/v1/models', '/v1/images/edits', '/v1beta/models/x:generateContent'])('%s is a 404', async (path) => {
    const { post } = await start();
    expect((await post(path, {})).status).toBe(404);
  });
});
