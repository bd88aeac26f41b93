import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Document, DocumentReader, type Shape } from './documents.ts';

interface Read {
  shape: Shape;
  documents: Document[];
}

function read(pieces: readonly string[]): Read {
  const reader = new DocumentReader();
  const documents = pieces.flatMap((piece) => reader.feed(piece));
  documents.push(...reader.finish());
  return { shape: reader.shape, documents };
}

const values = (text: string): unknown[] => read([text]).documents.map(({ value }) => value);

/** Cuts a text at the given places, whatever they are. */
function cut(text: string, places: readonly number[]): string[] {
  const sorted = [...new Set(places.map((place) => place % (text.length + 1)))].sort((a, b) => a - b);
  return [0, ...sorted].map((from, index) => text.slice(from, sorted[index] ?? text.length));
}

const json = fc
  .oneof(fc.object({ maxDepth: 3 }), fc.array(fc.anything({ maxDepth: 1 }), { maxLength: 4 }))
  .map((value) => JSON.stringify(value));

test('a bare JSON is read as soon as it is complete, and so is one that follows it', () => {
  const reader = new DocumentReader();
  expect(reader.feed('  {"id":"6-a","status":')).toEqual([]);
  expect(reader.feed('"run}\\"ning"}')).toEqual([{ text: expect.any(String), value: { id: '6-a', status: 'run}"ning' } }]);
  expect(reader.feed('\n{"id":"7-b"}\n{"id":').map(({ value }) => value)).toEqual([{ id: '7-b' }]);
  expect(reader.finish()).toEqual([{ text: '{"id":', value: undefined }]);
});

test('an event has its name, until the blank line that ends it', () => {
  const text = 'event: error\r\ndata: {"a":1}\r\n\r\ndata: {"a":2}\n\nevent:ping\ndata: now\n\nevent: late\n\ndata: {}\n\n';
  expect(read([text]).documents.map(({ text, event }) => [event, text])).toEqual([
    ['error', '{"a":1}'],
    [undefined, '{"a":2}'],
    ['ping', 'now'],
    [undefined, '{}'],
  ]);
});

test('an event is read before its line, its blank line or the stream has ended', () => {
  const reader = new DocumentReader();
  expect(reader.feed('data: {"id":"6-a"')).toEqual([]);
  expect(reader.feed('}').map(({ value }) => value)).toEqual([{ id: '6-a' }]);
});

test.each([
  ['lines ended by LF', 'data: {"a":1}\n\ndata: {"a":2}\n\n'],
  ['lines ended by CR LF', 'data: {"a":1}\r\n\r\ndata: {"a":2}\r\n\r\n'],
  ['lines ended by CR', 'data: {"a":1}\r\rdata: {"a":2}\r\r'],
  ['comments, other fields and no space', ': hello\nevent: x\nid: 1\ndata:{"a":1}\n\nretry: 10\ndata: {"a":2}\n'],
  ['JSON over two data lines', 'data: {"a":\ndata: 1}\n\ndata: {"a":2}'],
  ['no blank line between events', 'data: {"a":1}\ndata: {"a":2}\n'],
  ['names in large letters', 'DATA: {"a":1}\n\nData: {"a":2}\n\n'],
  ['space in front', ' data: {"a":1}\n\n  data: {"a":2}\n\n'],
  ['events inside of them', 'data: data: {"a":1}\n\ndata: data: data: {"a":2}\n\n'],
  ['a comma too many', 'data: {"a":1,}\n\ndata: {"a":2}\n\n'],
  ['no line end between them', 'data: {"a":1}data: {"a":2}'],
  ['a space between them', 'data: {"a":1} data:{"a":2}\n\n'],
  ['the name of the field before the first line of a value alone', 'data: {\n  "a": 1\n}\n\ndata: {\n"a":\n2}'],
  ['a value that goes on without a colon', 'data: {"a":\n1\n}\n\ndata: {"a": 2\r\n}\r\n'],
  ['a byte order mark', '\ufeffdata: {"a":1}\n\ndata: {"a":2}\n\n'],
])('events with %s are read', (_, text) => {
  expect(values(text)).toEqual([{ a: 1 }, { a: 2 }]);
});

test.each([
  ['Markdown', '```json\n{"a":1}\n```'],
  ['Markdown of no language', '\n```\n{"a":1}```\n'],
  ['the call of a function', 'callback({"a":1});'],
  ['the call of a function behind a comment', '/**/jQuery_1.cb( {"a":1} )'],
  ['a guard', ')]}\',\n{"a":1}'],
  ['an endless loop', 'for (;;);{"a":1}'],
  ['warnings of PHP', '<br />\n<b>Warning</b>:  a {b} in <b>c</b> on line <b>1</b><br />\n<br />\n<b>Notice</b>: d\n{"a":1}'],
  ['a word', 'Response: {"a":1}\n'],
  ['another line', 'OK\r\n{"a":1}'],
  ['separators of records', '\x1e{"a":1}\n'],
  ['NUL', '\0{"a":1}\0'],
  ['quotes of Python', "{'a': 1}"],
])('JSON in %s is read', (_, text) => {
  expect(values(text)[0]).toEqual({ a: 1 });
  expect(read([...text])).toEqual(read([text]));
});

test.each([
  'prompt rejected: {"a":1}',
  'your prompt ```{"a":1}``` is against the policy',
  'RejectedError({"a":1})',
  'result of the check:\n{"a":1}',
  '<html>{"a":1}</html>',
  '<b>Error</b>: bad prompt\n{"a":1}',
])('what stands behind other words is no answer: %j', (text) => expect(read([text])).toEqual({ shape: 'other', documents: [] }));

test('a megabyte that looks wrapped is judged in one pass', () => {
  const began = performance.now();
  for (const part of ['<b>Warning</b>:', '<b>Notice</b>:\n', 'ok\n', '```', 'a(', ' ', '<br>'])
    read([part.repeat(1_000_000 / part.length)]);
  expect(performance.now() - began).toBeLessThan(3000);
});

test('data that is no JSON is handed over as text', () => {
  expect(read(['data: [DONE]\n\ndata: apikey error\n\n']).documents).toEqual([
    { text: '[DONE]', value: undefined },
    { text: 'apikey error', value: undefined },
  ]);
});

test.each<[string, string, Shape, unknown[]]>([
  ['nothing', '  \n ', 'empty', []],
  ['a page', '<html><body>502 {"id":"x"}</body></html>', 'other', []],
  ['plain text', 'apikey error', 'other', []],
  ['a text that begins like a field', 'database is down: {"a":1}', 'other', []],
  ['the first letters of a field', 'dat', 'other', []],
  ['a JSON scalar', 'null', 'other', [null]],
  ['a JSON cut short', '{"id":"6-a', 'json', []],
  ['brackets that are no JSON', '{]', 'json', [undefined]],
])('%s is told apart from the rest', (_, text, shape, found) => {
  const got = read([text]);
  expect(got.shape).toBe(shape);
  expect(got.documents.map(({ value }) => value)).toEqual(found);
});

test('any split of any stream of events gives the same documents', () => {
  const line = fc.oneof(
    json.map((text) => `data: ${text}`),
    json.map((text) => `data:${text.replace(/([{,])/, '$1\ndata: ')}`),
    json.map((text) => `data:${text.replace(/([{,:])/, '$1\n')}`),
    fc.tuple(json, fc.constantFrom('data:', ' data: ', 'da', 'data', ' d:'), json).map(([a, glue, b]) => `data: ${a}${glue}${b}`),
    fc.constantFrom('data: [DONE]', ': ping', 'event: task', 'id: 7', 'data:', 'data', ''),
    fc.string().map((text) => `data: ${text}`),
  );
  const stream = fc
    .tuple(fc.array(line, { maxLength: 8 }), fc.constantFrom('\n', '\r\n', '\r'), fc.boolean())
    .map(([lines, end, closed]) => `data: {}${end}${end}${lines.join(end)}${closed ? end + end : ''}`);
  fc.assert(
    fc.property(stream, fc.array(fc.nat(), { maxLength: 12 }), (text, places) => {
      expect(read(cut(text, places))).toEqual(read([text]));
    }),
  );
});

test('any split of any text gives the same documents, one character at a time too', () => {
  const text = fc.oneof(
    json,
    fc.string(),
    json.map((value) => `\n ${value} tail`),
    fc.string().map((tail) => `data${tail}`),
  );
  fc.assert(
    fc.property(text, fc.array(fc.nat(), { maxLength: 6 }), (whole, places) => {
      const want = read([whole]);
      expect(read(cut(whole, places))).toEqual(want);
      expect(read([...whole])).toEqual(want);
    }),
  );
});

test('every JSON object comes out of events as it went in', () => {
  fc.assert(
    fc.property(fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 5 }), (objects) => {
      const text = objects.map((object) => `data: ${JSON.stringify(object)}\n\n`).join('');
      expect(values(text)).toEqual(objects.map((object) => JSON.parse(JSON.stringify(object)) as unknown));
    }),
  );
});

test('a key that upstream echoes is blanked before the document is parsed', () => {
  const reader = new DocumentReader((text) => text.replaceAll('secret', '***'));
  expect(reader.feed('{"error":"bad key secret"}')).toEqual([
    { text: '{"error":"bad key ***"}', value: { error: 'bad key ***' } },
  ]);
});
