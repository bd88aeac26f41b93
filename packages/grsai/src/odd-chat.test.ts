import fc from 'fast-check';
import { expect, test } from 'vitest';
import { anyJson, asEvents, cutAnywhere, maybeEnveloped, type Oddness, odd, responseOf } from '../test/odd-answers.ts';
import { CompletionAssembler } from './assemble.ts';
import { piecesOf } from './chat-answer.ts';
import { isEmptyCompletion, meaningOf } from './chat-meaning.ts';
import type { ChatCompletion } from './chat-schema.ts';
import { GrsaiConnectionError, GrsaiError } from './errors.ts';
import type { Response } from './exchange.ts';

/** The answer as its caller gets it, or the error that it ends with. */
async function answerOf(response: Response): Promise<ChatCompletion | GrsaiError> {
  const assembler = new CompletionAssembler();
  try {
    for await (const piece of piecesOf(response, (text) => text, 'drop')) {
      if ('whole' in piece) return piece.whole;
      assembler.add(piece.chunk);
    }
    return assembler.completion();
  } catch (error) {
    if (error instanceof GrsaiError) return error;
    throw error;
  }
}

/** All text of a content, whether it is one text or a list of parts. */
function flat(content: unknown): string {
  if (typeof content === 'string') return content;
  if (Array.isArray(content)) return content.map(flat).join('');
  if (typeof content !== 'object' || content === null) return '';
  const { text, thinking } = content as { text?: unknown; thinking?: unknown };
  return flat(text) + flat(thinking);
}

const textsOf = (completion: ChatCompletion): string[] => completion.choices.map(({ message }) => flat(message.content));

const usage = { prompt_tokens: 11, completion_tokens: 2, total_tokens: 13, prompt_tokens_details: null };
const beside = { object: '', created: 1_780_004_321, model: 'm', system_fingerprint: '', usage };
const inChoice = { content_filter_results: { hate: { filtered: false } }, logprobs: null };

/** What may stand for the number of the only choice. */
const index = fc.constantFrom<object>(
  { index: 0 },
  { index: '0' },
  {},
  ...[null, 'x', '', -1, 0.5, 1_764_000_000, [], {}, true].map((odd) => ({ index: odd })),
);

/** Of an answer these fields decide. */
const DECIDES = /^(?:choices|index|message|delta|content|finish_reason|text|thinking|type|\d+)$/;

const ODD: Oddness = {
  free: (path) => !DECIDES.test(path.at(-1) ?? ''),
  extra: ['vendor', 'note', 'citations', 'x_groq', 'status', '__proto__'],
  // Parts of a content are told apart by what stands in them.
  open: (path) => !path.includes('content'),
};

/** Texts as models write them, and worse. */
const words = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }),
  fc.constantFrom('三个', '🏮', ' ', '\n', '42', '{"a":1}', '[DONE]', 'data: x'),
);
const written = fc.array(words, { minLength: 1, maxLength: 6 }).filter((pieces) => pieces.join('').trim() !== '');

const content = (text: string): fc.Arbitrary<unknown> =>
  fc.constantFrom<unknown>(text, [{ type: 'text', text }], { type: 'text', text }, [
    { type: 'thinking', thinking: [{ type: 'text', text }] },
  ]);

const plain = written.chain((pieces) => {
  const text = pieces.join('');
  return fc
    .tuple(content(text), index)
    .chain(([said, number]) => {
      const choice = { ...number, ...inChoice, message: { role: 'assistant', content: said }, finish_reason: 'stop' };
      return odd({ id: '1-a', ...beside, choices: [choice] }, ODD);
    })
    .chain(maybeEnveloped)
    .chain((value) =>
      fc.oneof(fc.constant(JSON.stringify(value)), fc.constant(JSON.stringify(value, null, 2)), asEvents([value])),
    )
    .chain(cutAnywhere)
    .map((bytes) => ({ text, bytes }));
});

const chunkOf = (piece: string, finish_reason: string | null) =>
  fc.tuple(content(piece), index).chain(([said, number]) => {
    const choice = { ...number, ...inChoice, delta: { role: 'assistant', content: said }, finish_reason };
    return odd({ id: '1-a', ...beside, choices: [choice] }, ODD);
  });

const streamText = written.chain((pieces) =>
  fc
    .tuple(...pieces.map((piece, at) => chunkOf(piece, at === pieces.length - 1 ? 'stop' : null).chain(maybeEnveloped)))
    .chain((chunks) =>
      fc.constantFrom<unknown[]>(chunks, [...chunks, { ...beside, choices: [] }], [...chunks, { choices: null, usage }]),
    )
    .chain((chunks) => asEvents(chunks))
    .map((events) => ({ text: pieces.join(''), events })),
);

const RUNS = { numRuns: 300 };

test('when fields of a plain answer that decide nothing are odd then it is read whole', () =>
  fc.assert(
    fc.asyncProperty(plain, async ({ text, bytes }) => {
      const answer = await answerOf(responseOf(bytes));
      if (answer instanceof GrsaiError) throw answer;
      expect(textsOf(answer)).toEqual([text.isWellFormed() ? text : JSON.parse(JSON.stringify(text))]);
      expect(meaningOf(answer)).toEqual({ kind: 'answer' });
    }),
    RUNS,
  ));

test('when fields of a streamed answer that decide nothing are odd then it is read whole', () =>
  fc.assert(
    fc.asyncProperty(
      streamText.chain(({ text, events }) => cutAnywhere(events).map((bytes) => ({ text, bytes }))),
      async ({ text, bytes }) => {
        const answer = await answerOf(responseOf(bytes));
        if (answer instanceof GrsaiError) throw answer;
        expect(textsOf(answer)).toEqual([text]);
        expect(meaningOf(answer)).toEqual({ kind: 'answer' });
      },
    ),
    RUNS,
  ));

test('when a streamed answer stops at any place then it is an error, or nothing of it was missing', () =>
  fc.assert(
    fc.asyncProperty(
      streamText,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.constantFrom('cut', 'end', 'unframed'),
      async ({ text, events }, share, how) => {
        const bytes = Buffer.from(events);
        const broken = new GrsaiConnectionError({ code: 'connection_lost', outcome: 'unknown', message: 'reset' });
        const more = { cut: { broken }, end: {}, unframed: { headers: {} } }[how];
        const answer = await answerOf(responseOf([bytes.subarray(0, Math.floor(bytes.length * share))], more));
        if (answer instanceof GrsaiError) expect(answer.outcome).toBe('unknown');
        else expect(isEmptyCompletion(answer) ? [text] : textsOf(answer)).toEqual([text]);
      },
    ),
    RUNS,
  ));

test.each([
  ['the name of a field', '"content_filter_res'],
  ['what the model says', '"message":{"content":"violates the content policy'],
])('when an answer stops in the middle of %s then that is no refusal', async (_, words) => {
  const events = `data: {"id":"1-a","choices":[{"index":0,${words}`;
  for (const headers of [{}, undefined]) {
    const answer = await answerOf(responseOf([Buffer.from(events)], headers === undefined ? {} : { headers }));
    expect(answer).toMatchObject({ outcome: 'unknown', category: 'unknown' });
  }
});

test('when any value of any stream is any JSON then it is read or refused, and never throws another error', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof(anyJson, fc.dictionary(fc.constantFrom('choices', 'error', 'usage', 'data', 'code', 'message', 'id'), anyJson)),
        { maxLength: 4 },
      ),
      fc.boolean(),
      async (values, events) => {
        const text = events
          ? `${values.map((value) => `data: ${JSON.stringify(value)}\n\n`).join('')}data: [DONE]\n\n`
          : JSON.stringify(values[0] ?? null);
        const answer = await answerOf(responseOf([Buffer.from(text)]));
        expect(answer instanceof GrsaiError || meaningOf(answer).kind !== undefined).toBe(true);
      },
    ),
    { numRuns: 200 },
  ));
