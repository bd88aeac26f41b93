import { goodChat, goodImage, invalidJob, type Row } from './row.ts';

const message = (more: object) => goodChat({ messages: [{ role: 'user', content: 'hi', ...more }] });
const part = (value: unknown) => message({ content: [value] });
const hook = (url: unknown, more: object = {}) => goodImage({}, { webhook: { url, ...more } });
const PNG = `data:image/png;base64,${'A'.repeat(64)}`;

/** Addresses that no webhook is let out to, in the spellings that URL parsers take. */
const FORBIDDEN = [
  'http://169.254.169.254/latest',
  'http://167772161/',
  'http://0x0a000001/',
  'http://012.0.0.1/',
  'http://10.1/',
  'http://[fd00::1]/',
  'http://[::ffff:10.0.0.1]/',
  'http://0.0.0.0/',
  'http://192.168.1.1:8080/hooks',
  'http://100.64.0.1/',
];

/** Wrong fields of `POST /v1/jobs`. */
export const FIELD_ROWS: readonly Row[] = [
  ...['[]', 'null', 'true', '7', '"image"'].map((body) => invalidJob(`${body} for a job`, '', body)),
  invalidJob('no type', '/type', { input: {} }),
  ...['video', 'Image', '', null, 1, ['image']].map((type) =>
    invalidJob(`the type ${JSON.stringify(type)}`, '/type', { ...goodImage(), type }),
  ),
  ...[null, [], 'a cat', 1].map((input) => invalidJob(`the input ${JSON.stringify(input)}`, '/input', { type: 'image', input })),
  invalidJob('an unknown field', '/retries', goodImage({}, { retries: 3 })),
  invalidJob('a field of another case', '/Priority', goodImage({}, { Priority: 'high' })),
  invalidJob('via on a chat', '/via', goodChat({}, { via: 'generate' })),
  invalidJob('a typo in input', '/input/aspectRatio', goodImage({ aspectRatio: '1:1' })),
  invalidJob('a constructor in input', '/input/constructor', goodImage({ constructor: { prototype: {} } })),
  ...['id', 'status', 'tenant', 'step', 'batch_id', 'custom_id'].map((field) =>
    invalidJob(`${field}, which is ours`, `/${field}`, goodImage({}, { [field]: 'x' })),
  ),

  ...[7, null, [], {}, ''].map((prompt) =>
    invalidJob(`the prompt ${JSON.stringify(prompt)}`, '/input/prompt', goodImage({ prompt })),
  ),
  ...[7, null, '', 'insufficient credits', '余额不足'].map((model) =>
    invalidJob(`the model ${JSON.stringify(model)}`, '/input/model', goodImage({ model })),
  ),
  invalidJob('pixels for a model of ratios', '/input/aspect_ratio', goodImage({ aspect_ratio: '1024x1024' })),
  invalidJob('a ratio with a zero', '/input/aspect_ratio', goodImage({ aspect_ratio: '0:13' })),
  invalidJob('a size in small letters', '/input/image_size', goodImage({ image_size: '2k' })),
  invalidJob('a size that cannot be meant', '/input/image_size', goodImage({ image_size: '8 K' })),
  invalidJob('a size without end', '/input/image_size', goodImage({ image_size: '8'.repeat(33) })),
  invalidJob('a size by number', '/input/image_size', goodImage({ image_size: 2048 })),
  invalidJob('a quality that is a sentence', '/input/quality', goodImage({ quality: 'best of all' })),
  invalidJob('a background that is a color', '/input/background', goodImage({ background: '#00f' })),
  invalidJob('image_size by generations', '/input/image_size', goodImage({ image_size: '1K' }, { via: 'generations' })),
  invalidJob('an unknown via', '/via', goodImage({}, { via: 'draw' })),
  invalidJob('an image that is no list', '/input/images', goodImage({ images: PNG })),
  ...[
    'file:///etc/passwd',
    'ftp://a.example/a.png',
    'data:text/html;base64,AAAA',
    'data:image/png,AAAA',
    '',
    'short',
    'not base64 at all!',
    'a cat on a mat, and more',
    'data:image/png;base64,AA=A',
    'data:image/png;base64,AAAAA',
    'data:image/png;base64,',
    'data:;base64,aGVsbG8gd29ybGQ=',
    'my-file_name-of-a-cat0',
    7,
  ].map((each) => invalidJob(`the image ${JSON.stringify(each)}`, '/input/images/0', goodImage({ images: [each] }))),
  invalidJob('an address without a host as an image', '/input/images/0', goodImage({ images: ['https://'] })),
  invalidJob(
    'a reference to an object of ours',
    '/input/images/0',
    goodImage({ images: [{ $object: 'k', content_type: 'image/png', bytes: 1 }] }),
  ),

  invalidJob('no messages', '/input/messages', goodChat({ messages: [] })),
  invalidJob('messages as a text', '/input/messages', goodChat({ messages: 'hi' })),
  invalidJob('an unknown role', '/input/messages/0/role', message({ role: 'boss' })),
  invalidJob('no content', '/input/messages/0/content', message({ content: null })),
  invalidJob('no parts', '/input/messages/0/content', message({ content: [] })),
  invalidJob('an unknown response format', '/input/response_format/type', goodChat({ response_format: { type: 'xml' } })),
  invalidJob('an unknown part', '/input/messages/0/content/0/type', part({ type: 'audio' })),
  invalidJob('a part without its text', '/input/messages/0/content/0/text', part({ type: 'text' })),
  invalidJob(
    'an image part as a text',
    '/input/messages/0/content/0/image_url',
    part({ type: 'image_url', image_url: 'https://a.example' }),
  ),
  invalidJob(
    'an image part by file',
    '/input/messages/0/content/0/image_url/url',
    part({ type: 'image_url', image_url: { url: 'file:///a' } }),
  ),
  invalidJob('a field that messages lack', '/input/messages/0/tool_calls', message({ tool_calls: [] })),
  ...(
    [
      ['temperature', '1'],
      ['stream', 'yes'],
      ['seed', 1.5],
      ['max_tokens', 0],
      ['stop', 5],
      ['reasoning_effort', 'very hard'],
      ['reasoning_effort', ''],
      ['reasoning_effort', 3],
      ['tools', []],
      ['n', 2],
    ] as const
  ).map(([field, value]) => invalidJob(`${field} ${JSON.stringify(value)}`, `/input/${field}`, goodChat({ [field]: value }))),

  ...[{ a: 1 }, { a: ['x'] }].map((metadata) =>
    invalidJob(`the metadata ${JSON.stringify(metadata)}`, '/metadata/a', goodImage({}, { metadata })),
  ),
  ...[[], 'a=b'].map((metadata) =>
    invalidJob(`the metadata ${JSON.stringify(metadata)}`, '/metadata', goodImage({}, { metadata })),
  ),
  ...['urgent', 1].map((priority) =>
    invalidJob(`the priority ${JSON.stringify(priority)}`, '/priority', goodImage({}, { priority })),
  ),
  ...['3600', 60.5, -60, 1e300].map((expires_in_s) =>
    invalidJob(`expires_in_s ${JSON.stringify(expires_in_s)}`, '/expires_in_s', goodImage({}, { expires_in_s })),
  ),
  ...['4', 1.5, -1, true].map((max_attempts) =>
    invalidJob(`max_attempts ${JSON.stringify(max_attempts)}`, '/max_attempts', goodImage({}, { max_attempts })),
  ),
  invalidJob('an unknown answer to the unknown', '/on_unknown_submit', goodImage({}, { on_unknown_submit: 'retry' })),
  invalidJob('an output as a number', '/output', goodImage({}, { output: 60 })),
  invalidJob('a url_ttl_s as a text', '/output/url_ttl_s', goodImage({}, { output: { url_ttl_s: '60' } })),
  invalidJob('an unknown field of output', '/output/format', goodImage({}, { output: { format: 'png' } })),

  invalidJob('a webhook as a text', '/webhook', goodImage({}, { webhook: 'https://a.example' })),
  invalidJob('an unknown event', '/webhook/events/0', hook('https://a.example', { events: ['job.done'] })),
  invalidJob('no events', '/webhook/events', hook('https://a.example', { events: [] })),
  invalidJob('a secret of a webhook', '/webhook/secret', hook('https://a.example', { secret: 'whsec_x' })),
  ...['ftp://a.example', 'javascript:alert(1)', '//a.example', 'https://', 'a.example', '', 7].map((url) =>
    invalidJob(`a webhook to ${JSON.stringify(url)}`, '/webhook/url', hook(url)),
  ),
  invalidJob('a webhook with a password', '/webhook/url', hook('https://user:secret@a.example/')),
  ...FORBIDDEN.map((url) => invalidJob(`a webhook to ${url}`, '/webhook/url', hook(url))),
];
