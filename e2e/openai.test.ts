import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { ChatOpenAI } from '@langchain/openai';
import { generateImage, generateText, streamText } from 'ai';
import OpenAI, { toFile } from 'openai';
import OpenAI6 from 'openai-6';
import { expect, test } from 'vitest';
import { type Stack, shareStack } from './stack.ts';

/** What the clients that people have make of `/openai/v1`: each of them, unchanged, with no more than its address and a key of ours. */

const stackOf = shareStack({ emulator: { chatMs: 5, taskMs: 50 }, quickTasks: true });

const MODEL = 'gemini-3.1-pro';

interface Said {
  text: string;
  tokens: number | undefined;
}

const baseUrl = ({ url }: Stack) => `${url}/openai/v1`;
const official = (stack: Stack) => new OpenAI({ baseURL: baseUrl(stack), apiKey: stack.tenant.key });
const before = (stack: Stack) => new OpenAI6({ baseURL: baseUrl(stack), apiKey: stack.tenant.key });

const ofOfficial =
  (clientOf: (stack: Stack) => OpenAI | OpenAI6) =>
  async (stack: Stack, prompt: string, model = MODEL): Promise<Said> => {
    const client = clientOf(stack) as OpenAI;
    const completion: OpenAI.ChatCompletion = await client.chat.completions.create({
      model,
      messages: [{ role: 'user', content: prompt }],
    });
    return { text: completion.choices[0]?.message.content ?? '', tokens: completion.usage?.total_tokens };
  };

const ofAi =
  (modelOf: (stack: Stack, model: string) => Parameters<typeof generateText>[0]['model']) =>
  async (stack: Stack, prompt: string, model = MODEL): Promise<Said> => {
    const { text, usage } = await generateText({ model: modelOf(stack, model), prompt });
    return { text, tokens: usage.totalTokens };
  };

/** Each client by its name. */
const CLIENTS: Readonly<Record<string, (stack: Stack, prompt: string, model?: string) => Promise<Said>>> = {
  openai: ofOfficial(official),
  'openai, the major version before': ofOfficial(before),
  '@ai-sdk/openai': ofAi((stack, model) => createOpenAI({ baseURL: baseUrl(stack), apiKey: stack.tenant.key }).chat(model)),
  '@ai-sdk/openai-compatible': ofAi((stack, model) =>
    createOpenAICompatible({ name: 'grsai', baseURL: baseUrl(stack), apiKey: stack.tenant.key })(model),
  ),
  '@langchain/openai': async (stack, prompt, model = MODEL) => {
    const chat = new ChatOpenAI({ model, apiKey: stack.tenant.key, configuration: { baseURL: baseUrl(stack) } });
    const { text, usage_metadata: usage } = await chat.invoke(prompt);
    return { text, tokens: (usage as { total_tokens?: number } | undefined)?.total_tokens };
  },
};

const calls = (stack: Stack, prompt: string) => stack.emulator.ledger.submitsOf({ prompt }).length;

/** Forms of an answer that upstream is known to send, by the faults of the emulator. */
const FORMS = ['F21:as=parts', 'F21:as=usage', 'F21:as=details', 'F21:as=charset'];

test.each(Object.entries(CLIENTS))('when %s asks a chat then it has the answer, of one call upstream', async (name, ask) => {
  const stack = await stackOf();
  const said = await ask(stack, `hello from ${name}`);
  expect(said).toEqual({ text: `You said: hello from ${name}`, tokens: expect.any(Number) });
  expect(calls(stack, `hello from ${name}`)).toBe(1);
  for (const form of FORMS) {
    const prompt = `odd ${form} [[fault=${form}]]`;
    expect([form, (await ask(stack, prompt)).text]).toEqual([form, expect.stringContaining(`odd ${form}`)]);
    expect([form, calls(stack, prompt)]).toEqual([form, 1]);
  }
});

test.each(Object.entries(CLIENTS))(
  'when a chat of %s comes to nothing then it is told why, and nothing is called again',
  async (name, ask) => {
    const stack = await stackOf();
    const filtered = `filtered, says ${name} [[fault=F21:as=filter]]`;
    await expect(ask(stack, filtered)).rejects.toThrow(/content policy/);
    expect(calls(stack, filtered)).toBe(1);
    const unknown = `unknown, says ${name}`;
    await expect(ask(stack, unknown, 'no-such-model')).rejects.toThrow(/model/i);
    expect(calls(stack, unknown)).toBe(1);
  },
);

/** Reads a chat as a stream; `onPiece` is called with each piece of its text. */
type Read = (stack: Stack, prompt: string, onPiece?: (text: string) => void, model?: string) => Promise<Said & { end: unknown }>;

const streamOfOfficial =
  (clientOf: (stack: Stack) => OpenAI | OpenAI6): Read =>
  async (stack, prompt, onPiece, model = MODEL) => {
    const client = clientOf(stack) as OpenAI;
    const stream = await client.chat.completions.create({
      model,
      messages: [{ role: 'user', content: prompt }],
      stream: true,
      stream_options: { include_usage: true },
    });
    const said = { text: '', tokens: undefined as number | undefined, end: undefined as unknown };
    for await (const { choices, usage } of stream) {
      const text = choices[0]?.delta.content ?? '';
      if (text !== '') onPiece?.(text);
      said.text += text;
      said.tokens = usage?.total_tokens ?? said.tokens;
      said.end = choices[0]?.finish_reason ?? said.end;
    }
    return said;
  };

const streamOfAi =
  (modelOf: (stack: Stack, model: string) => Parameters<typeof generateText>[0]['model']): Read =>
  async (stack, prompt, onPiece, model = MODEL) => {
    let failed: unknown;
    const stream = streamText({
      model: modelOf(stack, model),
      prompt,
      onError: ({ error }) => {
        failed = error;
      },
    });
    let text = '';
    for await (const piece of stream.textStream) {
      onPiece?.(piece);
      text += piece;
    }
    if (failed !== undefined) throw failed;
    return { text, tokens: (await stream.usage).totalTokens, end: await stream.finishReason };
  };

const READERS: Readonly<Record<string, Read>> = {
  openai: streamOfOfficial(official),
  'openai, the major version before': streamOfOfficial(before),
  '@ai-sdk/openai': streamOfAi((stack, model) => createOpenAI({ baseURL: baseUrl(stack), apiKey: stack.tenant.key }).chat(model)),
  '@ai-sdk/openai-compatible': streamOfAi((stack, model) =>
    createOpenAICompatible({ name: 'grsai', baseURL: baseUrl(stack), apiKey: stack.tenant.key, includeUsage: true })(model),
  ),
  '@langchain/openai': async (stack, prompt, onPiece, model = MODEL) => {
    const chat = new ChatOpenAI({ model, apiKey: stack.tenant.key, configuration: { baseURL: baseUrl(stack) } });
    const said = { text: '', tokens: undefined as number | undefined, end: undefined as unknown };
    for await (const chunk of await chat.stream(prompt)) {
      if (chunk.text !== '') onPiece?.(chunk.text);
      said.text += chunk.text;
      said.tokens = (chunk.usage_metadata as { total_tokens?: number } | undefined)?.total_tokens ?? said.tokens;
      said.end = chunk.response_metadata['finish_reason'] ?? said.end;
    }
    return said;
  },
};

test.each(Object.entries(READERS))(
  'when %s streams a chat then it has the answer piece by piece, of one call upstream',
  async (name, read) => {
    const stack = await stackOf();
    const pieces: string[] = [];
    const prompt = `a stream for ${name} [[chat-ms=600]]`;
    const said = await read(stack, prompt, (text) => pieces.push(text));
    expect(said).toEqual({ text: `You said: a stream for ${name}`, tokens: expect.any(Number), end: 'stop' });
    expect(pieces.length).toBeGreaterThan(2);
    expect(calls(stack, `a stream for ${name}`)).toBe(1);
    for (const form of [...FORMS, 'F21:as=no-done']) {
      const odd = `odd ${form} [[fault=${form}]]`;
      expect([form, (await read(stack, odd)).text]).toEqual([form, expect.stringContaining(`odd ${form}`)]);
      expect([form, calls(stack, odd)]).toEqual([form, 1]);
    }
  },
);

test.each(Object.entries(READERS))(
  'when a stream of %s comes to nothing, or begins anew, then it is told so, and nothing is called again for it',
  async (name, read) => {
    const stack = await stackOf();
    const filtered = `filtered, streams ${name} [[fault=F21:as=filter]]`;
    await expect(read(stack, filtered)).rejects.toThrow(/content policy/);
    expect(calls(stack, filtered)).toBe(1);
    // Its second attempt would say the same again.
    const cut = `cut, streams ${name} [[chat-ms=400]] [[fault=F21:as=cut,times=1]]`;
    await expect(read(stack, cut)).rejects.toThrow(/broke off/);
    expect(calls(stack, `cut, streams ${name}`)).toBe(2);
  },
);

test('when a chat is sent with fields of ours and of others then the job says so, and the answer which job it is', async () => {
  const stack = await stackOf();
  const client = official(stack);
  const { data, response } = await client.chat.completions
    .create({
      model: MODEL,
      messages: [
        { role: 'developer', content: 'Be brief.' },
        { role: 'assistant', content: 'Yes.', refusal: null },
        { role: 'user', content: [{ type: 'text', text: 'hello' }] },
      ],
      max_completion_tokens: 50,
      metadata: { order: 'A-17' },
      user: 'u-1',
      seed: 7,
      n: 1,
      tools: [],
      logprobs: false,
      ...({ grsai: { priority: 'high', metadata: { shop: 'b' }, webhook: { url: stack.receiver.url } } } as object),
    })
    .withResponse();
  const id = response.headers.get('x-grsai-job-id') ?? '';
  expect(data).toMatchObject({ object: 'chat.completion', grsai: { job_id: id } });
  expect(response.headers.get('x-grsai-ignored')).toBe('user, seed');
  expect(await stack.tenant.job(id)).toMatchObject({
    origin: 'openai',
    status: 'succeeded',
    priority: 'high',
    metadata: { order: 'A-17', shop: 'b' },
    input: { max_tokens: 50, messages: [{ role: 'system' }, { role: 'assistant', content: 'Yes.' }, { role: 'user' }] },
  });
  await stack.receiver.waitFor(({ body }) => body.includes(id));
});

test('when the text of a chat and its answer are long then both are whole', async () => {
  const stack = await stackOf();
  const prompt = `long ${'words '.repeat(20_000)}[[reply-bytes=300000]]`;
  const { text } = await ofOfficial(official)(stack, prompt);
  expect(text).toHaveLength(300_000);
});

test('when models are asked for then the catalogue is listed, and a name that nobody knows is a 404', async () => {
  const stack = await stackOf();
  const client = official(stack);
  const ids: string[] = [];
  for await (const { id, object, created } of client.models.list()) {
    expect([object, Number.isInteger(created)]).toEqual(['model', true]);
    ids.push(id);
  }
  expect(ids).toContain('nano-banana-2');
  expect(await client.models.retrieve('gemini-3.1-pro')).toMatchObject({ id: 'gemini-3.1-pro', grsai: { type: 'chat' } });
  await expect(client.models.retrieve('no/such')).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
});

test('when something is asked for that there is not then the refusal says what there is', async () => {
  const stack = await stackOf();
  const client = official(stack);
  await expect(client.responses.create({ model: MODEL, input: 'x' })).rejects.toMatchObject({
    status: 404,
    message: expect.stringContaining('chat.completions'),
  });
  await expect(client.embeddings.create({ model: 'e', input: 'x' })).rejects.toMatchObject({ status: 404 });
  await expect(client.models.delete('gemini-3.1-pro')).rejects.toMatchObject({ status: 405 });
  const stranger = new OpenAI({ baseURL: baseUrl(stack), apiKey: 'gj_nobody' });
  await expect(stranger.models.list()).rejects.toMatchObject({ status: 401, code: 'invalid_api_key' });
});

/** The first bytes of a picture that the emulator makes. */
const isPicture = (bytes: Uint8Array): boolean =>
  /^(?:\x89PNG|\xff\xd8\xff)/.test(Buffer.from(bytes.subarray(0, 8)).toString('latin1'));
const fromBase64 = (text: string | undefined) => Buffer.from(text ?? '', 'base64');

const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

test.each([
  ['openai', official],
  ['openai, the major version before', before],
] as const)('when %s asks for images then it has as many as it asked for, each paid for once', async (name, clientOf) => {
  const stack = await stackOf();
  const client = clientOf(stack) as OpenAI;
  const prompt = `a lighthouse by ${name}`;
  const { data, response } = await client.images
    .generate({ model: 'nano-banana-2', prompt, n: 3, size: '1536x1024', response_format: 'b64_json', quality: 'standard' })
    .withResponse();
  expect(data.data?.map(({ b64_json }) => isPicture(fromBase64(b64_json)))).toEqual([true, true, true]);
  const ids = response.headers.get('x-grsai-job-id')?.split(',') ?? [];
  expect(ids).toHaveLength(3);
  expect(stack.emulator.ledger.submitsOf({ prompt })).toHaveLength(3);
  expect(await stack.tenant.job(ids[0] ?? '')).toMatchObject({ origin: 'openai', input: { aspect_ratio: '3:2' } });
  const { data: links } = await client.images.generate({ model: 'nano-banana-2', prompt: `${prompt}, linked` });
  expect(isPicture(new Uint8Array(await (await fetch(links?.[0]?.url ?? '')).arrayBuffer()))).toBe(true);

  const edited = await client.images.edit({
    model: 'nano-banana-2',
    prompt: `${prompt}, edited`,
    image: [await toFile(PICTURE, 'a.png', { type: 'image/png' }), await toFile(PICTURE, 'b.bin')],
    response_format: 'b64_json',
  });
  expect(isPicture(fromBase64(edited.data?.[0]?.b64_json))).toBe(true);
  expect(stack.emulator.ledger.submitsOf({ prompt: `${prompt}, edited` })).toHaveLength(1);
});

test('when ai asks for images of a model that is known to answer base64 then it has them', async () => {
  const stack = await stackOf();
  const openai = createOpenAI({ baseURL: baseUrl(stack), apiKey: stack.tenant.key });
  const { images } = await generateImage({ model: openai.image('nano-banana-2'), prompt: 'by ai', n: 2, size: '1024x1024' });
  expect(images.map(({ uint8Array }) => isPicture(uint8Array))).toEqual([true, true]);
  for (const model of ['gpt-image-2', 'nano-banana-2']) {
    const prompt = { text: `by ai, edited by ${model}`, images: [PICTURE] };
    const edited = await generateImage({ model: openai.image(model), prompt });
    expect(isPicture(edited.image.uint8Array)).toBe(true);
  }
  const compatible = createOpenAICompatible({ name: 'grsai', baseURL: baseUrl(stack), apiKey: stack.tenant.key });
  const { image } = await generateImage({ model: compatible.imageModel('gpt-image-2'), prompt: 'by ai, compatible' });
  expect(isPicture(image.uint8Array)).toBe(true);
});

test('when some images of a request fail then it has the others, and when all do then it is told why', async () => {
  const stack = await stackOf();
  const client = official(stack);
  const refused = client.images.generate({ model: 'nano-banana-2', prompt: 'bad [[outcome=violation]]', n: 2 });
  await expect(refused).rejects.toMatchObject({ status: 400, code: 'content_policy_violation' });
  expect(stack.emulator.ledger.submitsOf({ prompt: 'bad' })).toHaveLength(2);
});
