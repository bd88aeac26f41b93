import { piecesOf, promptOf, replyTo, tokensIn } from '../chat-text.ts';
import { waitUntil } from '../clock.ts';
import type { Exchange } from '../exchange.ts';
import { CHAT_MODELS } from '../models.ts';
import { type Chunk, type Completion, oddChat } from '../odd-chat.ts';
import { oddly } from '../odd-fields.ts';
import { type Admitted, admit, chargeMore, type Dialect, holdAnswer, readFields } from '../paid.ts';
import { priceOf, tokenPrice } from '../prices.ts';
import { drawSpan, unit } from '../random.ts';
import { sendJson, strikeAfter } from '../transport.ts';
import type { World } from '../world.ts';

const refuse: Dialect['refuse'] = (x, error, status = 400) => x.json(status, { error: { message: error } });

/** How the OpenAI-shaped endpoints say no (upstream.md §6). */
export const OPENAI: Dialect = {
  refuse,
  badKey: (x) => refuse(x, 'apikey error'),
  malformed: (x) => refuse(x, 'Invalid parameters'),
};

/** An Azure-style addition that the service makes (upstream.md §6.1). */
const FILTERS = {
  hate: { filtered: false },
  self_harm: { filtered: false },
  sexual: { filtered: false },
  violence: { filtered: false },
  jailbreak: { filtered: false, detected: false },
  profanity: { filtered: false, detected: false },
};

/** `POST /v1/chat/completions` (upstream.md §6.1). */
export async function chat(x: Exchange, world: World): Promise<void> {
  const fields = await readFields(x, world, OPENAI);
  if (fields === undefined) return;
  const model = String(fields['model'] ?? '');
  const prompt = promptOf(fields['messages']);
  const { chatCost } = world.settings;
  const price = tokenPrice(model);
  const order = {
    kind: 'chat',
    model,
    prompt: prompt ?? '',
    cost: typeof chatCost === 'number' ? chatCost : priceOf(tokensIn(prompt ?? ''), price.input),
    modelState: Object.hasOwn(CHAT_MODELS, model) ? CHAT_MODELS[model] : undefined,
    unknownModel: 'Model not support',
    complaint: prompt === undefined ? 'Invalid parameters' : undefined,
  } as const;
  const admitted = await admit(x, world, order, OPENAI);
  if (admitted === undefined) return;
  // What the model will say is charged with the question: whoever leaves has paid for the answer.
  if (chatCost === 'tokens')
    chargeMore(x, world, admitted.submit, priceOf(tokensIn(replyTo(order.prompt, admitted.directives)), price.output));
  world.bus.emit('submit', admitted.submit);
  world.limiter.synchronousCalls++;
  try {
    await answer(x, world, admitted, {
      model,
      prompt: order.prompt,
      stream: fields['stream'] ?? world.settings.chatStreamDefault,
    });
  } finally {
    world.limiter.synchronousCalls--;
  }
}

interface Question {
  readonly model: string;
  readonly prompt: string;
  readonly stream: unknown;
}

async function answer(x: Exchange, world: World, admitted: Admitted, question: Question): Promise<void> {
  const { now, directives } = admitted;
  await holdAnswer(x, world, directives);
  if (await strikeAfter(x, world, now)) return;
  const ms = directives.number('chat-ms') ?? drawSpan(world.settings.chatMs, unit(world.seed, 'chat-ms', admitted.n));
  const failure = now.as('F21');
  if (failure === 'rix' || failure === 'failed') {
    await world.clock.wait(ms, x.closed);
    admitted.submit.refunded = admitted.submit.charged;
    world.ledger.giveBack(x.node, admitted.submit.charged, x.key);
    return x.json(400, {
      error: failure === 'rix' ? { message: 'API error response', type: 'rix_api_error' } : { message: 'generation failed' },
    });
  }
  const text = failure === 'empty' ? '' : replyTo(question.prompt, directives);
  const head = { id: admitted.id, created: Math.floor(world.clock.now() / 1000), model: question.model };
  const usage = {
    prompt_tokens: tokensIn(question.prompt),
    completion_tokens: tokensIn(text),
    total_tokens: tokensIn(question.prompt) + tokensIn(text),
  };
  if (question.stream === true) return stream(x, world, admitted, { head, text, usage, ms });
  await world.clock.wait(ms, x.closed);
  if (x.closed.aborted) return;
  if (failure === 'cut') return cutMidway(x, text);
  const body: Completion = {
    ...head,
    object: '',
    choices: [
      { index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop', content_filter_results: FILTERS },
    ],
    usage: { ...usage, prompt_tokens_details: null, completion_tokens_details: null },
    system_fingerprint: '',
  };
  await sendJson(
    x,
    world,
    now,
    200,
    oddChat(failure)?.plain(body) ?? body,
    failure === 'charset' ? 'application/json' : undefined,
  );
}

async function cutMidway(x: Exchange, text: string): Promise<void> {
  x.begin(200, 'application/json');
  await x.write(`{"id":"1-","choices":[{"message":{"content":${JSON.stringify(text).slice(0, -1)}`);
  x.cut();
}

interface Telling {
  readonly head: object;
  readonly text: string;
  readonly usage: object;
  readonly ms: number;
}

async function stream(
  x: Exchange,
  world: World,
  { now, directives }: Admitted,
  { head, text, usage, ms }: Telling,
): Promise<void> {
  const failure = now.as('F21');
  const pieces = piecesOf(text, directives.number('pieces'));
  const [start, pace] = [world.clock.now(), ms / pieces.length];
  await waitUntil(world.clock, start + pace, x.closed);
  if (x.closed.aborted) return;
  x.begin(200, failure === 'charset' ? 'text/event-stream' : 'text/event-stream; charset=utf-8');
  const chunks = pieces.map((content, i): Chunk => {
    const last = i === pieces.length - 1;
    const delta = i === 0 ? { role: 'assistant', content } : { content };
    const choice = { index: 0, delta, finish_reason: last ? 'stop' : null, content_filter_results: FILTERS };
    return { ...head, object: 'chat.completion.chunk', choices: [choice], ...(last ? { usage } : {}) };
  });
  const sent = oddChat(failure)?.stream(chunks) ?? chunks;
  for (const [i, event] of sent.entries()) {
    const last = i === sent.length - 1;
    if (failure === 'cut' && (last || i > sent.length / 2)) return x.cut();
    await x.write(typeof event === 'string' ? event : `data: ${JSON.stringify(oddly(event, now))}\n\n`);
    if (!last) await waitUntil(world.clock, start + (i + 2) * pace, x.closed);
    if (x.closed.aborted) return;
  }
  if (world.settings.chatStreamDone && failure !== 'no-done') await x.write('data: [DONE]\n\n');
  await x.end();
}
