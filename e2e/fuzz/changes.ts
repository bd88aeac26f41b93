import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { Sent } from './requests.ts';

/** What no caller should send, in the place of any value. */
const ODD_VALUES: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  1.5,
  1e308,
  2 ** 53,
  '',
  ' ',
  '\u0000',
  'a\nb\r\nX-Injected: 1',
  '\u202e\u2066',
  'constructor',
  '__proto__',
  '{{7*7}}%n%s',
  '<script>alert(1)</script>',
  "'; DROP TABLE jobs; --",
  'insufficient credits',
  'http://169.254.169.254/latest/meta-data',
  'javascript:alert(1)',
  'data:text/html,<b>',
  'x'.repeat(40_000),
  [],
  [[]],
  {},
  { toString: 1, valueOf: null },
  Array.from({ length: 1200 }, (_, i) => i),
  JSON.parse(`${'['.repeat(40)}${']'.repeat(40)}`),
];
const ODD_NAMES = ['constructor', 'toString', 'hasOwnProperty', '', ' ', 'a.b', '$where', 'x'.repeat(300), '\u0000', 'модель'];

type Path = readonly (string | number)[];

/** Every place within a value. */
function placesIn(value: unknown, at: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([name, each]) => placesIn(each, [...at, name]))];
}

/** The value with another one at a place; `undefined` takes it out. */
function withValue(value: unknown, [first, ...rest]: Path, fresh: unknown): unknown {
  if (first === undefined) return fresh;
  if (Array.isArray(value)) {
    const index = Number(first);
    return value.flatMap((each, i) => {
      const next: unknown = i === index ? withValue(each, rest, fresh) : each;
      return next === undefined ? [] : [next];
    });
  }
  const entries = Object.entries(value as object).map(([name, each]) => [
    name,
    name === first ? withValue(each, rest, fresh) : each,
  ]);
  return Object.fromEntries(entries.filter(([, each]) => each !== undefined));
}

type Change = (sent: Sent, pick: number) => Partial<Sent>;
const one = <T>(list: readonly T[], pick: number): T => list[pick % list.length] as T;

const inJson =
  (change: (json: unknown, pick: number) => unknown): Change =>
  (sent, pick) => {
    const json = change(sent.json ?? { items: [] }, pick);
    return { json, text: JSON.stringify(json) ?? '' };
  };
const inText =
  (change: (text: string, pick: number) => string | Buffer): Change =>
  (sent, pick) => ({ text: change(String(sent.text ?? '{}'), pick) });
const header =
  (name: string, ...values: string[]): Change =>
  (sent, pick) => ({ headers: { ...sent.headers, [name]: one(values, pick) } });

const splice = (text: string, pick: number, middle: string, drop = 0): string => {
  const at = pick % (text.length + 1);
  return text.slice(0, at) + middle + text.slice(at + drop);
};

/** What is done to a request that fits the document. */
const CHANGES: Readonly<Record<string, Change>> = {
  'a value is odd': inJson((json, pick) => withValue(json, one(placesIn(json), pick), one(ODD_VALUES, Math.floor(pick / 7)))),
  'a value is missing': inJson((json, pick) => withValue(json, one(placesIn(json), pick), undefined)),
  'a field is unknown': inJson((json, pick) => ({ ...(json as object), [one(ODD_NAMES, pick)]: one(ODD_VALUES, pick) })),
  'metadata have odd names': inJson((json, pick) => ({ ...(json as object), metadata: { [one(ODD_NAMES, pick)]: 'x', y: 'z' } })),
  'the body is wrapped': inJson((json, pick) => one([[json], { job: json }, JSON.stringify(json)], pick)),
  'the body is cut off': inText((text, pick) => text.slice(0, pick % Math.max(1, text.length))),
  'a character is lost': inText((text, pick) => splice(text, pick, '', 1)),
  'a character came in': inText((text, pick) => splice(text, pick, one(['"', '{', '\u0000', '\\', ',', '\n', '\ufeff'], pick))),
  'a name is sent twice': inText((text) => text.replace(/^\{/, '{"type":"chat","type":"image","__proto__":{"a":1},')),
  'brackets are deep': inText((_, pick) => '{"a":'.repeat(one([33, 1000, 50_000], pick))),
  'a number is endless': inText((text, pick) => splice(text, pick, `1e${'9'.repeat(400)}`)),
  'half a character': inText((text, pick) => splice(text, pick, '\\ud800')),
  'no UTF-8': inText((text, pick) => Buffer.from(splice(text, pick, '\u00ff\u00fe'), 'latin1')),
  UTF16: inText((text) => Buffer.from(`\ufeff${text}`, 'utf16le')),
  'no body': () => ({ text: '' }),
  'many lines': inText((text, pick) => `${text}\n`.repeat(1 + (pick % 40))),
  'its type is odd': header(
    'content-type',
    'text/plain',
    '',
    'application/xml',
    'application/json; charset=utf-16',
    'multipart/form-data',
  ),
  'it says that it is packed': header('content-encoding', 'gzip', 'br', 'deflate', 'zstd', 'gzip, gzip', 'x'),
  'it is packed': (sent) => ({
    headers: { ...sent.headers, 'content-encoding': 'gzip' },
    text: gzipSync(sent.text ?? ''),
  }),
  'nobody sends it': header(
    'authorization',
    '',
    'Bearer',
    'Bearer x',
    'Basic Og==',
    `Bearer gj_${'A'.repeat(43)}`,
    'Bearer \u00e9',
  ),
  'its key is odd': header('idempotency-key', '', 'x'.repeat(256), 'a b', '\u00e9', 'a,b', 'a:b}{'),
  'what it accepts is odd': header('accept', '*/*;q=0', 'image/png', ';;;', 'text/event-stream', 'x'.repeat(2000)),
  'it names other hosts': header('x-forwarded-host', 'evil.example', 'a:99999', '\u00e9'),
  'it came a long way': header('x-forwarded-for', '127.0.0.1', 'x', '1, 2, 3, 4', '::ffff:127.0.0.1'),
  'its range is odd': header('range', 'bytes=0-1', 'bytes=9-1', 'x'),
  'what it has is odd': header('if-none-match', '*', '"', 'W/"x"', 'x'.repeat(3000)),
  'its last event is odd': header('last-event-id', '-1', '1e99', 'x', '9'.repeat(40)),
  'its own id is odd': header('x-request-id', '', 'x'.repeat(129), 'a b', '<b>'),
  'a query is odd': (sent, pick) => ({
    query: [
      ...sent.query,
      one(
        [
          ['limit', '0'],
          ['limit', '-1'],
          ['limit', '1e9'],
          ['limit[]', '1'],
          ['__proto__[x]', '1'],
          ['constructor', 'x'],
          ['status', 'none'],
          ['status', ''],
          ['cursor', 'x'],
          ['cursor', '%00'],
          ['cursor', 'AAAA'],
          ['created_after', '2026-02-30T00:00:00Z'],
          ['after_line', '999999'],
          ['job_id', 'job_'],
          ['url', 'http://['],
          ['x', 'y'.repeat(4000)],
        ] as const,
        pick,
      ),
    ],
  }),
  'its path is odd': (sent, pick) => ({
    path: sent.path.replace(
      /\{\w+\}|$/,
      one(
        ['%00', '%ff', '..%2f..%2fadmin', '%2e%2e', 'a%0d%0ab', 'x'.repeat(3000), '', '%', '__proto__', 'job_%7B%7D', '-1'],
        pick,
      ),
    ),
  }),
  'its path has more': (sent, pick) => ({
    path: one(['/', `/${sent.path}`, `${sent.path}/`, `${sent.path}/x`, `/.${sent.path}`, sent.path.toUpperCase()], pick),
  }),
  'its method is another': (_, pick) => ({ method: one(['PUT', 'OPTIONS', 'TRACE', 'HEAD', 'PROPFIND', 'LINK'], pick) }),
};

/** Requests with something wrong in them; a few are taken all the same. */
export const changed = (requests: fc.Arbitrary<Sent>): fc.Arbitrary<Sent> =>
  fc.tuple(requests, fc.constantFrom(...Object.entries(CHANGES)), fc.nat()).map(([sent, [what, change], pick]) => ({
    ...sent,
    ...change(sent, pick),
    change: what,
  }));
