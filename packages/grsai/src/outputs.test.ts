import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { replyFrom } from '../test/support.ts';
import { ackId } from './ack.ts';
import { GrsaiError } from './errors.ts';
import { linkOf } from './links.ts';
import { type Output, outputsOf } from './outputs.ts';
import { readTask, type TaskState } from './task-state.ts';

const ID = '6-3d0c9f52-7a41-4e0b-9c55-1b2a60f4d7e1';
const LINK = 'https://file7.example.net/file/4b7a0c91.png';
/** A whole PNG of one pixel. */
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const BYTES = new Uint8Array(Buffer.from(PIXEL, 'base64'));
/** A PNG's first bytes and some that make plus signs. */
const PLUS = 'iVBORw0KGgo++++/';
const SVG = '<svg xmlns="http://www.w3.org/2000/svg"/>';

const link = (url = LINK) => ({ kind: 'link', url });
const inline = (bytes: Uint8Array = BYTES) => ({ kind: 'inline', bytes });
/** Buffers and plain arrays of bytes alike. */
const plain = (outputs: readonly Output[]) =>
  outputs.map((output) => (output.kind === 'link' ? output : { ...output, bytes: new Uint8Array(output.bytes) }));

const read = (body: unknown): TaskState | GrsaiError => readTask(replyFrom(200, JSON.stringify(body)), ID);

function outputsIn(results: unknown, beside: object = {}): unknown {
  const state = read({ id: ID, status: 'succeeded', results, ...beside });
  return state instanceof GrsaiError ? state : { status: state.status, outputs: plain(state.outputs) };
}

describe('an output is found', () => {
  test.each<[string, unknown, unknown[]]>([
    ['an object with a link', [{ url: LINK }], [link()]],
    ['a bare link', [LINK], [link()]],
    ['one object, no list', { url: LINK }, [link()]],
    ['one link, no list', LINK, [link()]],
    ['a list as an object', { 0: { url: LINK }, 1: `${LINK}2` }, [link(), link(`${LINK}2`)]],
    ['a list inside an object', { images: [{ url: LINK }] }, [link()]],
    ['a list inside a list', [[{ url: LINK }], [LINK]], [link(), link()]],
    ['a list as JSON in a text', JSON.stringify([{ url: LINK }]), [link()]],
    ['image_url as a text', [{ image_url: LINK }], [link()]],
    ['image_url as an object', [{ type: 'image_url', image_url: { url: LINK, detail: 'high' } }], [link()]],
    ['b64_json', [{ b64_json: PIXEL }], [inline()]],
    ['b64_json with the head of a data URL', [{ b64_json: `data:image/png;base64,${PIXEL}` }], [inline()]],
    ['b64_json beside an empty url', [{ url: '', b64_json: PIXEL }], [inline()]],
    ['b64_json beside a link: what cannot die', [{ url: LINK, b64_json: PIXEL }], [inline()]],
    ['a link beside a b64_json that is no picture', [{ url: LINK, b64_json: 'null' }], [link()]],
    ['a data URL as url', [{ url: `data:image/png;base64,${PIXEL}` }], [inline()]],
    ['a bare data URL', [`data:image/png;base64,${PIXEL}`], [inline()]],
    ['a data URL with parameters', [`data:image/png;name=a.png;charset=utf-8;base64,${PIXEL}`], [inline()]],
    ['a data URL without a type', [`DATA:;base64,${PIXEL}`], [inline()]],
    ['a data URL with line breaks', [`data:image/png;base64,\r\n${PIXEL.replace(/(.{20})/g, '$1\r\n')}`], [inline()]],
    ['a data URL in back-ticks', [`\`data:image/png;base64,${PIXEL}\``], [inline()]],
    ['a data URL that is percent-encoded', [`data:image/png;base64,${encodeURIComponent(PIXEL)}`], [inline()]],
    ['a data URL of text', [`data:image/svg+xml,${encodeURIComponent(SVG)}`], [inline(new Uint8Array(Buffer.from(SVG)))]],
    ['bare base64', [PIXEL], [inline()]],
    ['bare base64, no list', PIXEL, [inline()]],
    ['bare base64 without padding', [PIXEL.replace(/=+$/, '')], [inline()]],
    ['bare base64, URL-safe', [PIXEL.replaceAll('+', '-').replaceAll('/', '_')], [inline()]],
    ['several in several forms', [LINK, { b64_json: PIXEL }, { url: LINK }], [link(), inline(), link()]],
    ['a good one beside bad ones', [null, { url: null }, 7, 'a caption', { url: LINK }], [link()]],
    ['a link with a space', [{ url: 'https://f.example/a b.png' }], [link('https://f.example/a%20b.png')]],
    ['several links in one text', `${LINK}, ${LINK}2\n${LINK}3`, [link(), link(`${LINK}2`), link(`${LINK}3`)]],
    ['several links without space', [`${LINK},${LINK}2`], [link(), link(`${LINK}2`)]],
    ['Markdown', [`Here it is: ![a b](${LINK}) and ![](${LINK}2 "title")`], [link(), link(`${LINK}2`)]],
    ['Markdown with a data URL', `![image](data:image/png;base64,${PIXEL})`, [inline()]],
    ['HTML', [{ url: `<img alt="x" src="${LINK}">` }], [link()]],
    ['output_url', [{ output_url: LINK }], [link()]],
    ['inline_data', [{ inline_data: { mime_type: 'image/png', data: PIXEL } }], [inline()]],
    ['a link without a scheme', [{ url: '//f.example/a.png' }], [link('http://f.example/a.png')]],
    ['a path', [{ url: '/file/a b.png' }], [link('http://upstream.test/file/a%20b.png')]],
    [
      'base64 that begins as a path does',
      [{ url: '/9j/4AAQSkZJRgABAQ==' }],
      [inline(new Uint8Array(Buffer.from('/9j/4AAQSkZJRgABAQ==', 'base64')))],
    ],
    [
      'what cannot be called, beside a good one',
      [{ url: 'ftp://x/y' }, { url: LINK }, { url: 'file.png' }],
      [link('ftp://x/y'), link(), link('file.png')],
    ],
    ['no link in words for none, beside a good one', [{ url: 'null' }, { url: LINK }, { url: 'N/A' }], [link()]],
    ['a host without a scheme', [{ url: 'f.example/file/a.png' }], [link('https://f.example/file/a.png')]],
    ['a link that is escaped twice', [{ url: 'https:\\/\\/f.example\\/a.png' }], [link('https://f.example/a.png')]],
    ['a link that is encoded as a whole', [{ url: 'https%3A%2F%2Ff.example%2Fa.png' }], [link('https://f.example/a.png')]],
    ['a link with one slash', [{ url: 'https:/f.example/a.png' }], [link('https://f.example/a.png')]],
    ['a link with a comma behind it', [{ url: `${LINK},` }], [link()]],
    ['a link with an escaped line end behind it', [{ url: `${LINK}\\n` }], [link()]],
    ['a link in Chinese quotes', [{ url: `“${LINK}”` }], [link()]],
    ['a link in brackets', [{ url: `(${LINK})` }], [link()]],
    ['a link that ends in a bracket of its own', [`${LINK}?v=(1)`], [link(`${LINK}?v=(1)`)]],
    ['a link between marks without width', [{ url: `\u200b${LINK}\u200b` }], [link()]],
    ['a link of Markdown', [`[the picture](${LINK})`], [link()]],
    ['a link in prose', [`Your image: ${LINK}`], [link()]],
    ['a name in large letters', [{ URL: LINK }], [link()]],
    ['a name in another spelling', [{ imgUrl: LINK }], [link()]],
    ['content', [{ content: LINK }], [link()]],
    ['content that is base64', [{ content: PIXEL }], [inline()]],
    ['b64Json', [{ b64Json: PIXEL }], [inline()]],
    ['a name that nobody knows', [{ finalArtwork: LINK, thumbnail: `${LINK}2` }], [link()]],
    [
      'names inside names that nobody knows',
      { data: { list: [{ artwork: LINK }, { artwork: `${LINK}2` }] } },
      [link(), link(`${LINK}2`)],
    ],
    ['urls by purpose', [{ urls: { get: LINK } }], [link()]],
    ['a data URL without the word base64', [`data:image/png,${PIXEL}`], [inline()]],
    ['a data URL without its start', [`image/png;base64,${PIXEL}`], [inline()]],
    ['base64 and its name', [{ url: `base64,${PIXEL}` }], [inline()]],
    [
      'base64 with blanks for plus signs',
      [`data:image/png;base64,${PLUS.replaceAll('+', ' ')}`],
      [inline(new Uint8Array(Buffer.from(PLUS, 'base64')))],
    ],
    ['HTML that is escaped', `&lt;img src=&quot;${LINK}&quot;/&gt;`, [link()]],
    ['a link that is encoded twice', [{ url: encodeURIComponent(encodeURIComponent(LINK)) }], [link()]],
    ['an address without a scheme', [{ url: '203.0.113.7:8080/a.png' }], [link('https://203.0.113.7:8080/a.png')]],
    ['a path without its first stroke', [{ url: './file/a.png' }], [link('http://upstream.test/file/a.png')]],
    ['a data URL in another one', [{ url: `data:image/png;base64,data:image/png;base64,${PIXEL}` }], [inline()]],
    ['base64 with escaped strokes and line ends', [{ b64_json: `"${PIXEL.replaceAll('/', '\\/')}\\n"` }], [inline()]],
    ['a link in another script', ['https://f.example/文件/图.png'], [link(linkOf('https://f.example/文件/图.png'))]],
  ])('as %s', (_, results, outputs) => {
    expect(outputsIn(results)).toEqual({ status: 'succeeded', outputs });
  });

  test.each<[string, object, unknown[]]>([
    ['data', { data: [{ url: LINK }] }, [link()]],
    ['images', { images: [LINK] }, [link()]],
    ['output', { output: { url: LINK } }, [link()]],
    ['outputs', { outputs: [{ b64_json: PIXEL }] }, [inline()]],
    ['image_url', { image_url: LINK }, [link()]],
    ['b64_json', { b64_json: PIXEL }, [inline()]],
    ['choices, as a chat has them', { choices: [{ message: { content: `![x](${LINK})` } }] }, [link()]],
    ['candidates, as Gemini has them', { candidates: [{ content: { parts: [{ inlineData: { data: PIXEL } }] } }] }, [inline()]],
    ['a name that nobody knows', { result_urls: [LINK, `${LINK}2`] }, [link(), link(`${LINK}2`)]],
    ['such a name, as a text', { artifacts: ` ${LINK} ` }, [link()]],
    ['such a name, as base64', { artwork: { png: PIXEL } }, [inline()]],
    ['such a name, as JSON in a text', { resultJson: JSON.stringify({ resultUrls: [LINK] }) }, [link()]],
    ['Results', { Results: [{ Url: LINK }] }, [link()]],
    ['results, also where the request is echoed', { results: [LINK], images: ['https://caller.example/in.png'] }, [link()]],
  ])('under the name %s', (_, fields, outputs) => {
    expect(outputsIn(undefined, fields)).toEqual({ status: 'succeeded', outputs });
  });

  test.each<object>([
    { message: `see ${LINK}` },
    { message: LINK },
    { content: `The picture is like ${LINK}` },
    { prompt: LINK, inputImages: [LINK], firstFrameUrl: LINK, referenceUrl: LINK, mask_url: LINK },
    { webHook: LINK, callback_url: LINK, notifyUrl: LINK, statusUrl: LINK, get_url: LINK, queryUrl: LINK, endpoint: LINK },
    { thumbnail: LINK, previewUrl: LINK, avatar: LINK, docs: LINK, recharge_url: LINK },
    { request: { images: [LINK] }, params: { image: LINK }, error: { url: LINK } },
  ])('in nothing else that has a link: %j', (fields) => {
    expect(outputsIn([], fields)).toEqual({ status: 'succeeded', outputs: [] });
  });

  test('under a name that nobody knows only where the task has succeeded', () => {
    expect(read({ id: ID, status: 'running', artwork: LINK })).toMatchObject({ status: 'running', outputs: [] });
    expect(read({ id: ID, status: 'failed', error: 'generate failed', artwork: LINK })).toMatchObject({ status: 'failed' });
  });

  test('in no list of the request, when that of the results is empty or the task still runs', () => {
    const echo = { images: ['https://caller.example/in.png'] };
    expect(outputsIn([], echo)).toEqual({ status: 'succeeded', outputs: [] });
    expect(read({ id: ID, ...echo })).toMatchObject({ status: 'running' });
  });

  test.each([
    ['a caption', 'a lighthouse at dawn'],
    ['a checksum', '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'],
    ['a file name', 'file.png'],
    ['base64 with something behind its padding', `${PIXEL}AAAA`],
    ['a caption with a link', 'see https://docs.example/help for more'],
    ['an empty data URL', 'data:image/png;base64,'],
  ])('in no %s', (_, text) => expect(outputsIn([text])).toEqual({ status: 'succeeded', outputs: [] }));

  test('and a text of 8 MiB that is nearly base64 is judged in one pass', () => {
    const text = `${' '.repeat(4_000_000)}${'A'.repeat(4_000_000)}!${' '.repeat(4)}x`;
    const began = performance.now();
    expect(outputsOf({ results: [`A${text}`] }, true)).toEqual([]);
    expect(performance.now() - began).toBeLessThan(2000);
  });
});

describe('a task that ended is one', () => {
  test.each([
    ['SUCCEEDED', 'succeeded'],
    ['Completed', 'succeeded'],
    [' done ', 'succeeded'],
    ['error', 'failed'],
    ['canceled', 'failed'],
    ['cancelled', 'failed'],
    ['TIMEOUT', 'failed'],
  ])('by the word %j', (word, status) => {
    expect(read({ id: ID, status: word, results: [LINK], error: 'why' })).toMatchObject({ status });
  });

  test.each([2, 'ok', '成功', 'ready', 'SUCC', 'generated', 'PROCESSED'])(
    'by the unknown word %j, when its outputs are there',
    (status) => {
      expect(read({ id: ID, status, results: [LINK] })).toMatchObject({ status: 'succeeded', urls: [LINK] });
      expect(read({ id: ID, status, results: [LINK], progress: 99 })).toMatchObject({ status: 'running' });
      expect(read({ id: ID, status, results: [] })).toMatchObject({ status: 'running' });
    },
  );

  test.each(['processing', 'IN_PROGRESS', 'partial_succeeded', 'generating', '生成中'])(
    'but not by the word %j, which says that more is to come',
    (status) => expect(read({ id: ID, status, results: [LINK] })).toMatchObject({ status: 'running' }),
  );

  test.each(['taskInfo', 'resp', 'Prediction'])('in an envelope of the name %s, alone or in a list', (name) => {
    const done = { id: ID, status: 'succeeded', results: [LINK] };
    expect(read({ code: 0, [name]: done })).toMatchObject({ status: 'succeeded', urls: [LINK] });
    expect(read({ code: 0, [name]: [done] })).toMatchObject({ status: 'succeeded', urls: [LINK] });
  });

  test('but no echo of the request, and no text that is one', () => {
    const fake = { id: ID, status: 'succeeded', results: [LINK] };
    for (const name of ['request', 'input', 'prompt', 'parameters'])
      expect(read({ code: 0, [name]: fake })).toBeInstanceOf(GrsaiError);
    expect(read({ code: 0, style: JSON.stringify(fake) })).toBeInstanceOf(GrsaiError);
  });

  test('also where its JSON is written as JSON again', () => {
    const done = JSON.stringify({ id: ID, status: 'succeeded', results: [LINK] });
    expect(readTask(replyFrom(200, JSON.stringify(done)), ID)).toMatchObject({ status: 'succeeded', urls: [LINK] });
  });

  test('and a gateway that says `error` of itself has said nothing of the task', () => {
    expect(read({ status: 'error', message: 'busy' })).toBeInstanceOf(GrsaiError);
  });

  test('and a refusal with a link to its explanation is no result', () => {
    expect(read({ error: 'slow down', url: 'https://docs.example/limits' })).toBeInstanceOf(GrsaiError);
  });
});

test.each<[string, string, string | undefined]>([
  ['a text', `{"id":"${ID}","status":"running"}`, ID],
  ['a number', '{"id":98765,"status":"running"}', '98765'],
  ['a number too large for one', '{"id":12345678901234567890,"status":"running"}', '12345678901234567890'],
  ['task_id', `{"task_id":"${ID}"}`, ID],
  ['taskId in an envelope', `{"code":0,"msg":"ok","data":{"taskId":"${ID}"}}`, ID],
  ['data itself', `{"code":0,"data":"${ID}"}`, ID],
  ['data, a number', '{"code":0,"data":98765}', '98765'],
  ['data, a list of one', `{"code":0,"data":[{"id":"${ID}"}]}`, ID],
  ['in an object of another name', `{"output":{"task_id":"${ID}","task_status":"PENDING"}}`, ID],
  ['in a result', `{"result":{"id":"${ID}"}}`, ID],
  ['in JSON that is written as JSON again', JSON.stringify(`{"id":"${ID}","status":"running"}`), ID],
  ['the id of a task that is done', `{"id":"${ID}","status":"succeeded","results":[{"url":"${LINK}"}]}`, ID],
  ['a link is none', `{"code":0,"data":"${LINK}"}`, undefined],
  ['null is none', '{"id":null,"status":"running"}', undefined],
])('the id of an acknowledgement: %s', (_, text, id) => expect(ackId(replyFrom(200, text))).toBe(id));

/** A good answer, and ways to write the same or less of it. */
const pictures = fc.array(fc.constantFrom(link(), inline()), { minLength: 1, maxLength: 3 });
const formOf = (each: { kind: string }): fc.Arbitrary<unknown> =>
  each.kind === 'link'
    ? fc.constantFrom<unknown>(LINK, { url: LINK }, { url: ` ${LINK} ` }, { image_url: { url: LINK } }, { image_url: LINK })
    : fc.constantFrom<unknown>(
        PIXEL,
        { b64_json: PIXEL },
        { url: `data:image/png;base64,${PIXEL}` },
        `data:image/png;a=b;base64,${PIXEL}`,
        { b64_json: `data:image/png;base64,${PIXEL}`, url: null },
      );
const listed = pictures.chain((them) => fc.tuple(...them.map(formOf)).map((forms) => ({ them, forms })));
const odd = fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.constantFrom<unknown>('', null, [], {}, '50%', -1, true));
const IRRELEVANT = ['progress', 'created', 'usage', 'error', 'failure_reason', 'seed', 'start_time', 'credits_cost'];
const beside = fc.dictionary(fc.constantFrom(...IRRELEVANT), odd);
const word = fc.constantFrom<unknown>(
  'succeeded',
  'Succeeded',
  'success',
  'COMPLETED',
  ' succeeded',
  undefined,
  null,
  2,
  'odd',
  {},
);
const name = fc.constantFrom('results', 'results', 'results', 'data', 'output', 'images');
const wrap = fc.constantFrom<(value: unknown) => unknown>(
  (value) => value,
  (value) => ({ code: 0, msg: 'success', data: value }),
  (value) => ({ code: '200', message: 'ok', data: { code: 0, data: value } }),
  (value) => [value],
  (value) => ({ code: 0, data: [value] }),
);
const frame = fc.constantFrom<(text: string) => string>(
  (text) => text,
  (text) => `\ufeff \n${text}`,
  (text) => `data: ${text}\n\n`,
  (text) => `: ping\n\ndata: {"status":"running"}\n\ndata: ${text}\n\ndata: [DONE]\n\n`,
);
const answer = fc.record({ listed, beside, word, name, wrap, frame, id: fc.constantFrom<unknown>(ID, 98765, undefined) });

test('a good answer with other types, fields, names, wrappers and frames keeps its pictures, or is asked for again: never less', () => {
  let kept = 0;
  fc.assert(
    fc.property(answer, (o) => {
      const body = o.wrap({ ...o.beside, id: o.id, status: o.word, [o.name]: o.listed.forms });
      const state = readTask(replyFrom(200, o.frame(JSON.stringify(body))), ID);
      if (state instanceof GrsaiError || state.status !== 'succeeded') return;
      if (state.outputs.length === 0) return;
      expect(plain(state.outputs)).toEqual(o.listed.them);
      kept += 1;
    }),
    { numRuns: 1000 },
  );
  expect(kept).toBeGreaterThan(400);
});

test('a good answer cut anywhere, or with any one field of another type, is never a success with other pictures', () => {
  const mutant = fc.record({ listed, field: fc.constantFrom('id', 'status', 'results', 'progress'), to: odd, at: fc.nat() });
  fc.assert(
    fc.property(mutant, fc.boolean(), ({ listed: { them, forms }, field, to, at }, cut) => {
      const body = { id: ID, status: 'succeeded', progress: 100, results: forms };
      const text = JSON.stringify(cut ? body : { ...body, [field]: to });
      const state = readTask(replyFrom(200, cut ? text.slice(0, at % text.length) : text), ID);
      if (state instanceof GrsaiError || state.outputs.length === 0) return;
      expect(plain(state.outputs)).toEqual(them);
    }),
    { numRuns: 1000 },
  );
});
