/** One request to `/openai/v1` that has to be refused. */
export interface OpenAiRow {
  what: string;
  status: number;
  code: string;
  /** The field that the refusal names. */
  param?: string | null;
  method?: string;
  path?: string;
  body?: string | object;
  headers?: Record<string, string>;
}

const CHAT = '/openai/v1/chat/completions';
const HELLO = [{ role: 'user', content: 'hi' }];

/** A chat that would be taken; each row breaks one thing in it. */
export const goodChat = (more: object = {}) => ({ model: 'gemini-3.1-pro', messages: HELLO, ...more });

const chat = (what: string, param: string | null, more: object): OpenAiRow => ({
  what: `chat: ${what}`,
  status: 400,
  code: 'invalid_request',
  param,
  path: CHAT,
  body: goodChat(more),
});
const message = (what: string, param: string, said: unknown): OpenAiRow => chat(what, param, { messages: [said] });
const body = (what: string, text: string | object, more: Partial<OpenAiRow> = {}): OpenAiRow => ({
  what: `body: ${what}`,
  status: 400,
  code: 'malformed_json',
  path: CHAT,
  body: text,
  ...more,
});
const tool = { type: 'function', function: { name: 'f', parameters: {} } };
const grsai = (what: string, param: string, fields: unknown): OpenAiRow => chat(`grsai, ${what}`, param, { grsai: fields });

export const CHAT_ROWS: readonly OpenAiRow[] = [
  chat('tools', 'tools', { tools: [tool] }),
  chat('a tool_choice beside tools', 'tools', { tools: [tool], tool_choice: 'auto' }),
  chat('parallel tool calls beside tools', 'tools', { tools: [tool], parallel_tool_calls: true }),
  chat('functions', 'functions', { functions: [{ name: 'f' }] }),
  chat('a schema', 'response_format.type', { response_format: { type: 'json_schema', json_schema: { name: 'a', schema: {} } } }),
  chat('a response_format that nobody knows', 'response_format.type', { response_format: { type: 'xml' } }),
  chat('a response_format that is a text', 'response_format', { response_format: 'json_object' }),
  chat('two answers', 'n', { n: 2 }),
  chat('no answer', 'n', { n: 0 }),
  chat('logprobs', 'logprobs', { logprobs: true }),
  chat('top_logprobs', 'top_logprobs', { top_logprobs: 3 }),
  chat('a logit_bias', 'logit_bias', { logit_bias: { 50256: -100 } }),
  chat('audio', 'audio', { audio: { voice: 'alloy', format: 'wav' } }),
  chat('modalities with audio', 'modalities', { modalities: ['text', 'audio'] }),
  chat('a prediction', 'prediction', { prediction: { type: 'content', content: 'x' } }),
  chat('a web search', 'web_search_options', { web_search_options: {} }),
  chat('a field that nobody knows', 'temprature', { temprature: 1 }),
  chat('a field of the prototype', 'constructor', { constructor: 1 }),
  chat('a temperature of 3', 'temperature', { temperature: 3 }),
  chat('a temperature that is a text', 'temperature', { temperature: '1' }),
  chat('top_p of 2', 'top_p', { top_p: 2 }),
  chat('a presence_penalty of 3', 'presence_penalty', { presence_penalty: 3 }),
  chat('a frequency_penalty of -3', 'frequency_penalty', { frequency_penalty: -3 }),
  chat('max_tokens of 0', 'max_tokens', { max_tokens: 0 }),
  chat('max_completion_tokens of 1.5', 'max_completion_tokens', { max_completion_tokens: 1.5 }),
  chat('five stops', 'stop', { stop: ['a', 'b', 'c', 'd', 'e'] }),
  chat('a stop that is a number', 'stop', { stop: 1 }),
  chat('a reasoning_effort with blanks', 'reasoning_effort', { reasoning_effort: 'very high' }),
  chat('stream as a text', 'stream', { stream: 'yes' }),
  chat('no model', 'model', { model: null }),
  chat('a model that is a number', 'model', { model: 4 }),
  chat('a model with blanks', 'model', { model: 'gpt 4' }),
  chat('a model that is too long', 'model', { model: 'm'.repeat(129) }),
  chat('an empty model', 'model', { model: '' }),
  chat('no messages', 'messages', { messages: null }),
  chat('an empty list of messages', 'messages', { messages: [] }),
  chat('messages that are a text', 'messages', { messages: 'hi' }),
  chat('too many messages', 'messages', { messages: Array.from({ length: 1001 }, () => HELLO[0]) }),
  message('a message that is a text', 'messages[0]', 'hi'),
  message('a message without a role', 'messages[0].role', { content: 'hi' }),
  message('a message of a tool', 'messages[0].role', { role: 'tool', content: '4', tool_call_id: 'c' }),
  message('a message of a function', 'messages[0].role', { role: 'function', name: 'f', content: '4' }),
  message('a message without content', 'messages[0].content', { role: 'user' }),
  message('content that is a number', 'messages[0].content', { role: 'user', content: 1 }),
  message('no parts', 'messages[0].content', { role: 'user', content: [] }),
  message('calls of tools', 'messages[0].tool_calls', {
    role: 'assistant',
    content: '',
    tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }],
  }),
  message('audio in', 'messages[0].content[0].type', {
    role: 'user',
    content: [{ type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } }],
  }),
  message('a file', 'messages[0].content[0].type', { role: 'user', content: [{ type: 'file', file: { file_id: 'file-1' } }] }),
  message('a part without its text', 'messages[0].content[0].text', { role: 'user', content: [{ type: 'text' }] }),
  message('an image that is a text', 'messages[0].content[0].image_url', {
    role: 'user',
    content: [{ type: 'image_url', image_url: 'https://a.example/b.png' }],
  }),
  message('an image by ftp', 'messages[0].content[0].image_url.url', {
    role: 'user',
    content: [{ type: 'image_url', image_url: { url: 'ftp://a.example/b.png' } }],
  }),
  message('an image that is none', 'messages[0].content[0].image_url.url', {
    role: 'user',
    content: [{ type: 'image_url', image_url: { url: `data:image/png;base64,${Buffer.alloc(40_000, 7).toString('base64')}` } }],
  }),
  message('a name that is a number', 'messages[0].name', { role: 'user', content: 'hi', name: 1 }),
  chat('metadata that is a list', 'metadata', { metadata: ['a'] }),
  chat('metadata of numbers', 'metadata.a', { metadata: { a: 1 } }),
  chat('17 pairs of metadata', 'metadata', {
    metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, 'v'])),
  }),
  grsai('a text', 'grsai', 'high'),
  grsai('a field that nobody knows', 'grsai.prio', { prio: 'high' }),
  grsai('a priority that nobody knows', 'grsai.priority', { priority: 'urgent' }),
  grsai('an expiry of a second', 'grsai.expires_in_s', { expires_in_s: 1 }),
  grsai('a webhook without an address', 'grsai.webhook.url', { webhook: {} }),
  grsai('a webhook to an address inside', 'grsai.webhook.url', { webhook: { url: 'http://10.0.0.1/hook' } }),
  body('none', ''),
  body('no JSON', '{'),
  body('a list', '[]', { code: 'invalid_request' }),
  body('a text', '"hi"', { code: 'invalid_request' }),
  body('a key twice', '{"model":"a","model":"b"}'),
  body('half of a pair', '{"model":"\\ud800"}'),
  body('too deep', `${'['.repeat(40)}${']'.repeat(40)}`),
  body('a form', 'model=a', {
    status: 415,
    code: 'unsupported_media_type',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  }),
  body('too large', goodChat({ messages: [{ role: 'user', content: 'x'.repeat(1_100_000) }] }), {
    status: 413,
    code: 'body_too_large',
  }),
  body('packed in a way that nobody knows', '{}', {
    status: 415,
    code: 'unsupported_media_type',
    headers: { 'content-encoding': 'lzma' },
  }),
  body('an Idempotency-Key with blanks', goodChat(), {
    code: 'bad_request',
    headers: { 'idempotency-key': 'a b' },
  }),
];

const request = (method: string, path: string, status: number, code: string, more: Partial<OpenAiRow> = {}): OpenAiRow => ({
  what: `${method} ${path}`,
  method,
  path: `/openai/v1${path}`,
  status,
  code,
  ...more,
});

export const REQUEST_ROWS: readonly OpenAiRow[] = [
  request('POST', '/responses', 404, 'not_found', { body: { model: 'a', input: 'b' } }),
  request('POST', '/completions', 404, 'not_found', { body: { model: 'a', prompt: 'b' } }),
  request('POST', '/embeddings', 404, 'not_found', { body: { model: 'a', input: 'b' } }),
  request('POST', '/audio/speech', 404, 'not_found', { body: {} }),
  request('POST', '/moderations', 404, 'not_found', { body: { input: 'b' } }),
  request('POST', '/images/variations', 404, 'not_found', { body: '' }),
  request('GET', '/chat/completions', 405, 'method_not_allowed'),
  request('GET', '/chat/completions/job_1', 404, 'not_found'),
  request('GET', '/', 404, 'not_found'),
  request('POST', '/models', 405, 'method_not_allowed', { body: {} }),
  request('DELETE', '/models/gemini-3.1-pro', 405, 'method_not_allowed'),
  request('GET', '/models/no-such-model', 404, 'model_not_found', { param: 'model' }),
  request('GET', '/models/%zz', 400, 'bad_request'),
];

const IMAGES = '/openai/v1/images/generations';
const image = (what: string, param: string | null, more: object): OpenAiRow => ({
  what: `image: ${what}`,
  status: 400,
  code: 'invalid_request',
  param,
  path: IMAGES,
  body: { model: 'nano-banana-2', prompt: 'a lighthouse', ...more },
});

export const IMAGE_ROWS: readonly OpenAiRow[] = [
  image('no prompt', 'prompt', { prompt: null }),
  image('an empty prompt', 'prompt', { prompt: '' }),
  image('a prompt that is too long', 'prompt', { prompt: 'x'.repeat(32_001) }),
  image('no model', 'model', { model: null }),
  image('a model with blanks', 'model', { model: 'dall e' }),
  image('eleven images', 'n', { n: 11 }),
  image('no images', 'n', { n: 0 }),
  image('half an image', 'n', { n: 1.5 }),
  image('n that is a text', 'n', { n: '2' }),
  image('a size that is none', 'size', { size: 'large' }),
  image('a size that is a number', 'size', { size: 1024 }),
  image('a size that the model lacks', 'size', { model: 'nano-banana-2-lite', size: '4096x4096' }),
  image('a ratio that is none', 'size', { size: '4:0' }),
  image('a format that is none', 'response_format', { response_format: 'png' }),
  image('a stream', 'stream', { stream: true }),
  image('partial images', 'partial_images', { partial_images: 2 }),
  image('another style', 'style', { style: 'natural' }),
  image('an output format', 'output_format', { output_format: 'webp' }),
  image('compression', 'output_compression', { output_compression: 50 }),
  image('a quality with blanks', 'quality', { quality: 'very high' }),
  image('a quality that the model lacks', 'quality', { quality: 'high' }),
  image('a background that the model lacks', 'background', { background: 'transparent' }),
  image('a field that nobody knows', 'negative_prompt', { negative_prompt: 'x' }),
  image('images of an edit', 'image', { image: 'https://a.example/b.png' }),
  image('metadata that is a text', 'metadata', { metadata: 'a' }),
];

const BOUNDARY = 'b0undary';
const part = (name: string, value: string, file = '') =>
  `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n${value}\r\n`;
const END = `--${BOUNDARY}--\r\n`;
const PNG = part('image', '\x89PNG', '; filename="a.png"');
const fields = part('model', 'nano-banana-2') + part('prompt', 'a lighthouse');

const edit = (what: string, text: string, more: Partial<OpenAiRow> = {}): OpenAiRow => ({
  what: `edit: ${what}`,
  status: 400,
  code: 'invalid_request',
  path: '/openai/v1/images/edits',
  body: text,
  headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` },
  ...more,
});

export const EDIT_ROWS: readonly OpenAiRow[] = [
  edit('JSON', '{}', { status: 415, code: 'unsupported_media_type', headers: { 'content-type': 'application/json' } }),
  edit('no boundary', fields + PNG + END, { code: 'bad_request', headers: { 'content-type': 'multipart/form-data' } }),
  edit('another boundary', fields + PNG + END, {
    code: 'bad_request',
    headers: { 'content-type': 'multipart/form-data; boundary=other' },
  }),
  edit('no end', fields + PNG, { code: 'bad_request' }),
  edit('cut in a head', `${fields}--${BOUNDARY}\r\nContent-Dispo`, { code: 'bad_request' }),
  edit('nothing in it', END),
  edit('no image', fields + END, { param: 'image' }),
  edit('an image that is a field', fields + part('image', 'x') + END, { param: 'image' }),
  edit('an empty image', fields + part('image', '', '; filename="a.png"') + END, { param: 'image' }),
  edit('an image that is none', fields + PNG.replace('\x89PNG', 'hello') + END, { param: 'image[0]' }),
  edit('an unknown file', fields + PNG + part('video', 'x', '; filename="a.mp4"') + END, { param: 'video' }),
  edit('two masks', fields + PNG + part('mask', 'x', '; filename="m"').repeat(2) + END, { param: 'mask' }),
  edit('a field twice', fields + part('prompt', 'another') + PNG + END, { param: 'prompt' }),
  edit('n that is no number', fields + part('n', 'two') + PNG + END, { param: 'n' }),
  edit('a field that nobody knows', fields + part('foo', 'x') + PNG + END, { param: 'foo' }),
  edit('a prototype', fields + part('__proto__', 'x') + PNG + END, { param: '__proto__' }),
  edit('a stream', fields + part('stream', 'true') + PNG + END, { param: 'stream' }),
  edit('metadata that is no JSON', fields + part('metadata', '{') + PNG + END, { param: 'metadata' }),
  edit('17 images', fields + PNG.repeat(17) + END, { status: 413, code: 'body_too_large' }),
  edit('33 fields', fields + Array.from({ length: 33 }, (_, i) => part(`f${i}`, 'x')).join('') + PNG + END, {
    status: 413,
    code: 'body_too_large',
  }),
  edit('a field that is too long', fields + part('user', 'x'.repeat(200_000)) + PNG + END, {
    status: 413,
    code: 'body_too_large',
  }),
  edit('too large', fields + PNG.replace('\x89PNG', 'x'.repeat(1_100_000)) + END, { status: 413, code: 'body_too_large' }),
];

const file = (what: string, text: string, more: Partial<OpenAiRow> = {}): OpenAiRow =>
  edit(what, text, { ...more, what: `file: ${what}`, path: '/openai/v1/files' });
const LINES = part('file', '{}', '; filename="lines.jsonl"');
const purpose = part('purpose', 'batch');
const life = (anchor: string, seconds: string) => part('expires_after[anchor]', anchor) + part('expires_after[seconds]', seconds);

export const FILE_ROWS: readonly OpenAiRow[] = [
  file('JSON', '{}', { status: 415, code: 'unsupported_media_type', headers: { 'content-type': 'application/json' } }),
  file('no boundary', purpose + LINES + END, { code: 'bad_request', headers: { 'content-type': 'multipart/form-data' } }),
  file('no end', purpose + LINES, { code: 'bad_request' }),
  file('cut in its file', purpose + LINES.slice(0, -4), { code: 'bad_request' }),
  file('no file', purpose + END, { param: 'file' }),
  file('a file that is a field', purpose + part('file', '{}') + END, { param: 'file' }),
  file('an empty file', purpose + part('file', '', '; filename="a"') + END, { param: 'file' }),
  file('a file of another name', purpose + LINES.replace('"file"', '"lines"') + END, { param: 'lines' }),
  file('two files', purpose + LINES + LINES + END, { status: 413, code: 'body_too_large' }),
  file('a name that is too long', purpose + LINES.replace('lines.jsonl', 'a'.repeat(300)) + END, { param: 'file' }),
  file('no purpose', LINES + END, { param: 'purpose' }),
  file('a wrong purpose before its file', part('purpose', 'fine-tune') + LINES + END, { param: 'purpose' }),
  file('a wrong purpose behind its file', LINES + part('purpose', 'vision') + END, { param: 'purpose' }),
  file('a purpose twice', purpose + purpose + LINES + END, { param: 'purpose' }),
  file('a field that nobody knows', purpose + LINES + part('colour', 'red') + END, { param: 'colour' }),
  file('a life of a second', purpose + LINES + life('created_at', '1') + END, { param: 'expires_after.seconds' }),
  file('a life of a year', purpose + LINES + life('created_at', '31536000') + END, { param: 'expires_after.seconds' }),
  file('a life from another time on', purpose + LINES + life('last_active_at', '3600') + END, { param: 'expires_after.anchor' }),
  file('nine fields', purpose + part('colour', 'red').repeat(8) + LINES + END, { status: 413, code: 'body_too_large' }),
  request('GET', '/files?limit=0', 400, 'invalid_request', { param: 'limit' }),
  request('GET', '/files?limit=10001', 400, 'invalid_request', { param: 'limit' }),
  request('GET', '/files?after=x', 400, 'invalid_request', { param: 'after' }),
  request('GET', '/files?order=up', 400, 'invalid_request', { param: 'order' }),
  request('GET', '/files?purpose=vision', 400, 'invalid_request', { param: 'purpose' }),
  request('GET', '/files/x', 404, 'not_found'),
  request('GET', '/files/file-01ARZ3NDEKTSV4RRFFQ69G5FAV', 404, 'not_found'),
  request('GET', '/files/file-01ARZ3NDEKTSV4RRFFQ69G5FAV-output/content', 404, 'not_found'),
  request('DELETE', '/files/file-01ARZ3NDEKTSV4RRFFQ69G5FAV', 404, 'not_found'),
  request('PUT', '/files', 405, 'method_not_allowed', { body: {} }),
];

const batch = (what: string, param: string | null, more: object): OpenAiRow => ({
  what: `batch: ${what}`,
  status: 400,
  code: 'invalid_request',
  param,
  path: '/openai/v1/batches',
  body: {
    input_file_id: 'file-01ARZ3NDEKTSV4RRFFQ69G5FAV',
    endpoint: '/v1/chat/completions',
    completion_window: '24h',
    ...more,
  },
});
const NO_BATCH = '/batches/batch_01ARZ3NDEKTSV4RRFFQ69G5FAV';

export const BATCH_ROWS: readonly OpenAiRow[] = [
  batch('a file that there is not', 'input_file_id', {}),
  batch('a file that is none', 'input_file_id', { input_file_id: 'x' }),
  batch('no file', 'input_file_id', { input_file_id: null }),
  batch('a list of files', 'input_file_id', { input_file_id: ['x'] }),
  batch('another endpoint', 'endpoint', { endpoint: '/v1/responses' }),
  batch('no endpoint', 'endpoint', { endpoint: null }),
  batch('another window', 'completion_window', { completion_window: '1h' }),
  batch('metadata of numbers', 'metadata.a', { metadata: { a: 1 } }),
  batch('an output that lives for a second', 'output_expires_after.seconds', {
    output_expires_after: { anchor: 'created_at', seconds: 1 },
  }),
  batch('a webhook to an address inside', 'grsai.webhook.url', { grsai: { webhook: { url: 'http://10.0.0.1/hook' } } }),
  batch('a priority that nobody knows', 'grsai.priority', { grsai: { priority: 'urgent' } }),
  batch('a field that nobody knows', 'colour', { colour: 'red' }),
  request('GET', '/batches?limit=0', 400, 'invalid_request', { param: 'limit' }),
  request('GET', '/batches?limit=101', 400, 'invalid_request', { param: 'limit' }),
  request('GET', '/batches?after=x', 400, 'invalid_request', { param: 'after' }),
  request('GET', NO_BATCH, 404, 'not_found'),
  request('POST', `${NO_BATCH}/cancel`, 404, 'not_found'),
  request('DELETE', NO_BATCH, 405, 'method_not_allowed'),
];
