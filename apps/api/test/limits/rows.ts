import type { LIMITS } from '@grsai-jobs/jobs';
import { goodChat, goodImage } from '../bad-input/row.ts';

/** A request on one side of a limit. */
export interface Asked {
  method?: string;
  path?: string;
  body?: object | string;
  headers?: Record<string, string>;
}

/** One limit: what is just inside it, what is just beyond, and what the refusal says. */
interface Row {
  limit: string;
  /** The entry of `LIMITS` that this row is about, if it is one. */
  of?: keyof typeof LIMITS;
  inside: readonly Asked[];
  beyond: readonly Asked[];
  /** Status, code, pointer and words of the refusal. */
  refusal: { status: number; code: string; pointer?: string; says: RegExp };
}

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** 16 MiB of images are 22.4 MiB of base64: more than the default takes. */
export const BODY_LIMIT = 24 * 1024 * 1024;
const chars = (n: number, head = '') => head + 'x'.repeat(n - head.length);
const urlOf = (n: number) => chars(n, 'https://caller.example/');
const urls = (n: number) => Array.from({ length: n }, (_, i) => `https://pictures.example/${i}.png`);
/** A data URL that stands for so many bytes. */
const inline = (bytes: number) => `data:image/png;base64,${Buffer.alloc(bytes, PNG).toString('base64')}`;
/** The S3 stand-in takes no 16 MiB in one object. */
const HALF = inline(8 * 1024 * 1024);
const pairs = (n: number): Record<string, string> => Object.fromEntries(Array.from({ length: n }, (_, i) => [`k${i}`, 'v']));
const messages = (n: number) => Array.from({ length: n }, () => ({ role: 'user', content: 'hi' }));
const parts = (n: number) => [{ role: 'user', content: Array.from({ length: n }, () => ({ type: 'text', text: 'hi' })) }];
const padded = (bytes: number) => JSON.stringify(goodChat()).padEnd(bytes, ' ');
const metadataQuery = (n: number) =>
  Object.entries(pairs(n))
    .map(([key, value]) => `metadata.${key}=${value}`)
    .join('&');
const sealed = (place: string) => Buffer.from(place).toString('base64url');
const list = (query: string): Asked => ({ method: 'GET', path: `/v1/jobs?${query}` });

/** A field whose values inside and beyond a limit are put into one body. */
function field<T>(
  limit: string,
  pointer: string,
  body: (value: T) => object,
  inside: readonly T[],
  beyond: readonly T[],
  says: RegExp,
  of?: keyof typeof LIMITS,
): Row {
  return {
    limit,
    ...(of ? { of } : {}),
    inside: inside.map((value) => ({ body: body(value) })),
    beyond: beyond.map((value) => ({ body: body(value) })),
    refusal: { status: 422, code: 'invalid_request', pointer, says },
  };
}

const more = (extra: object) => goodImage({}, extra);

/** Each limit of a request. */
export const LIMIT_ROWS: readonly Row[] = [
  field(
    'prompt',
    '/input/prompt',
    (n) => goodImage({ prompt: chars(n) }),
    [1, 32_000],
    [32_001],
    /limited to 32000 characters/,
    'prompt',
  ),
  field('model', '/input/model', (n) => goodChat({ model: chars(n) }), [1, 128], [129], /limited to 128 characters/, 'model'),
  field(
    'messages',
    '/input/messages',
    (n) => goodChat({ messages: messages(n) }),
    [1, 1000],
    [1001],
    /limited to 1000/,
    'messages',
  ),
  field(
    'parts',
    '/input/messages/0/content',
    (n) => goodChat({ messages: parts(n) }),
    [1, 100],
    [101],
    /at most 100 items$/,
    'parts',
  ),
  field(
    'URL of a webhook',
    '/webhook/url',
    (n) => more({ webhook: { url: urlOf(n) } }),
    [2048],
    [2049],
    /limited to 2048/,
    'url',
  ),
  field('URL of an image', '/input/images/0', (n) => goodImage({ images: [urlOf(n)] }), [2048], [2049], /limited to 2048/),
  field(
    'URL of an image part',
    '/input/messages/0/content/0/image_url/url',
    (n) => goodChat({ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: urlOf(n) } }] }] }),
    [2048],
    [2049],
    /limited to 2048/,
  ),
  field(
    'URLs of images',
    '/input/images',
    (n) => goodImage({ model: 'not-in-the-table', images: urls(n) }),
    [64],
    [65],
    /at most 64 /,
    'images',
  ),
  field(
    'inline images',
    '/input/images',
    (n) => goodImage({ model: 'not-in-the-table', images: Array(n).fill(inline(48)) }),
    [16],
    [17],
    /at most 16 inline images/,
    'inlineImages',
  ),
  field(
    'bytes of inline images together',
    '/input/images',
    (last) => goodImage({ images: [HALF, inline(last)] }),
    [8 * 1024 * 1024],
    [8 * 1024 * 1024 + 1],
    /limited to 16 MiB together/,
    'inlineImageBytes',
  ),
  field(
    'bytes of inline images of a chat',
    '/input/messages',
    (last) =>
      goodChat({
        messages: [HALF, inline(last)].map((url) => ({ role: 'user', content: [{ type: 'image_url', image_url: { url } }] })),
      }),
    [8 * 1024 * 1024],
    [8 * 1024 * 1024 + 1],
    /limited to 16 MiB together/,
  ),
  field(
    'metadata pairs',
    '/metadata',
    (n) => more({ metadata: pairs(n) }),
    [0, 16],
    [17],
    /limited to 16 pairs/,
    'metadataPairs',
  ),
  field(
    'metadata key',
    `/metadata/${chars(65)}`,
    (n) => more({ metadata: { [chars(n)]: 'v' } }),
    [1, 64],
    [65],
    /limited to 64 characters|key/,
    'metadataKey',
  ),
  field(
    'metadata value',
    '/metadata/k',
    (n) => more({ metadata: { k: chars(n) } }),
    [512],
    [513],
    /limited to 512 characters/,
    'metadataValue',
  ),
  field('max_attempts', '/max_attempts', (n) => more({ max_attempts: n }), [1, 10], [0, 11], / (1|10)$/, 'attempts'),
  field(
    'expires_in_s',
    '/expires_in_s',
    (n) => more({ expires_in_s: n }),
    [60, 172_800],
    [59, 172_801],
    / (60|172800)$/,
    'expiresInS',
  ),
  field(
    'url_ttl_s',
    '/output/url_ttl_s',
    (n) => more({ output: { url_ttl_s: n } }),
    [60, 604_800],
    [59, 604_801],
    / (60|604800)$/,
    'urlTtlS',
  ),
  field('temperature', '/input/temperature', (n) => goodChat({ temperature: n }), [0, 2], [-0.1, 2.1], / [02]$/),
  field('top_p', '/input/top_p', (n) => goodChat({ top_p: n }), [0, 1], [-0.1, 1.1], / [01]$/),
  field('max_tokens', '/input/max_tokens', (n) => goodChat({ max_tokens: n }), [1, 1_000_000], [0, 1_000_001], / (1|1000000)$/),
  field(
    'models to fall back to',
    '/fallback_models',
    (n) => ({ ...goodChat(), fallback_models: Array.from({ length: n }, (_, i) => `model-${i}`) }),
    [3],
    [4],
    /at most 3 models/,
    'fallbackModels',
  ),
  field('stop sequences', '/input/stop', (n) => goodChat({ stop: Array(n).fill('x') }), [4], [5], /at most 4 items$/, 'stop'),
  field(
    'name of a message',
    '/input/messages/0/name',
    (n) => goodChat({ messages: [{ role: 'user', content: 'hi', name: chars(n) }] }),
    [64],
    [65],
    /64/,
  ),
  {
    limit: 'limit of a page',
    of: 'page',
    inside: [list('limit=1'), list('limit=100'), list('')],
    beyond: [list('limit=0'), list('limit=101')],
    refusal: { status: 422, code: 'invalid_request', pointer: '/limit', says: / (1|100)$/ },
  },
  {
    limit: 'place in a cursor',
    inside: [list(`cursor=${sealed(`${'9'.repeat(15)}.job_${chars(64)}`)}`)],
    beyond: [list(`cursor=${sealed(`${'9'.repeat(16)}.job_1`)}`), list(`cursor=${sealed(`1.job_${chars(65)}`)}`)],
    refusal: { status: 400, code: 'bad_request', says: /take it from next_cursor/ },
  },
  {
    limit: 'metadata filters',
    inside: [list(metadataQuery(16))],
    beyond: [list(metadataQuery(17))],
    refusal: { status: 400, code: 'bad_request', says: /At most 16/ },
  },
  {
    limit: 'Idempotency-Key',
    inside: [1, 255].map((n) => ({ body: goodChat(), headers: { 'idempotency-key': chars(n) } })),
    beyond: [{ body: goodChat(), headers: { 'idempotency-key': chars(256) } }],
    refusal: { status: 400, code: 'bad_request', says: /1 to 255/ },
  },
  {
    limit: 'BODY_LIMIT',
    inside: [{ body: padded(BODY_LIMIT) }],
    beyond: [{ body: padded(BODY_LIMIT + 1) }],
    refusal: { status: 413, code: 'body_too_large', says: new RegExp(`limited to ${BODY_LIMIT} bytes`) },
  },
];
