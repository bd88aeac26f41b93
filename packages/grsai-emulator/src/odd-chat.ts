/** A plain chat answer, and a chunk of a streamed one. */
export interface Completion {
  readonly choices: readonly [Choice & { readonly message: Said }];
  readonly [field: string]: unknown;
}

export interface Chunk {
  readonly choices: readonly [Choice & { readonly delta: Partial<Said> }];
  readonly [field: string]: unknown;
}

interface Choice {
  readonly finish_reason: string | null;
  readonly [field: string]: unknown;
}

interface Said {
  readonly role: string;
  readonly content: string;
}

interface Form {
  readonly plain: (body: Completion) => object;
  /** The events in place of the good ones; a text goes out as it is, with its line ends. */
  readonly stream: (chunks: readonly Chunk[]) => readonly (object | string)[];
}

const OVERLOADED = { error: { message: 'Overloaded, please retry', type: 'server_error' } };

const withMessage = (body: Completion, message: object, choice: object = {}): object => ({
  ...body,
  choices: [{ ...body.choices[0], message: { ...body.choices[0].message, ...message }, ...choice }],
});

const withDelta = (chunk: Chunk, delta: object): object => ({
  ...chunk,
  choices: [{ ...chunk.choices[0], delta: { ...chunk.choices[0].delta, ...delta }, finish_reason: null }],
});

const text = (words: string) => ({ type: 'text', text: words });
const thought = (words: string) => ({ type: 'thinking', thinking: [text(words)] });

/** Nothing is said, for this reason. */
const silent = (finish_reason: string): Form => ({
  plain: (body) => withMessage(body, { content: null }, { finish_reason }),
  stream: (chunks) =>
    chunks.slice(-1).map((chunk) => ({
      ...chunk,
      choices: [{ ...chunk.choices[0], delta: { role: 'assistant', content: '' }, finish_reason }],
    })),
});

const half = <T>(list: readonly T[]): readonly T[] => list.slice(0, Math.ceil(list.length / 2));

/** Forms of a chat answer that are odd, and say all that a good one would, or why they do not. */
export const ODD_CHAT = {
  length: silent('length'),
  filter: silent('content_filter'),
  safety: silent('SAFETY'),
  parts: {
    plain: (body) => withMessage(body, { content: [thought('hm'), text(body.choices[0].message.content)] }),
    stream: ([first, ...rest]) =>
      first === undefined
        ? []
        : [withDelta(first, { content: [thought('h')] }), withDelta(first, { content: [thought('m')] }), first, ...rest],
  },
  details: {
    plain: (body) =>
      withMessage(body, { reasoning_details: [{ type: 'reasoning.summary', summary: 'I think', index: 0, format: 'x' }] }),
    stream: ([first, ...rest]) => {
      const part = (summary: string) => ({
        content: '',
        reasoning_details: [{ type: 'reasoning.summary', summary, index: 0, format: 'x' }],
      });
      return first === undefined ? [] : [withDelta(first, part('I ')), withDelta(first, part('think')), first, ...rest];
    },
  },
  usage: {
    plain: (body) => ({ ...body, created: '1764000000', usage: { ...Object(body['usage']), prompt_tokens_details: [] } }),
    stream: (chunks) => [
      ...chunks.map((chunk) => ({ ...chunk, usage: { prompt_tokens_details: [] } })),
      { object: 'chat.completion.chunk', choices: null, usage: chunks.at(-1)?.['usage'] },
    ],
  },
  messages: {
    plain: (body) => ({ code: 0, msg: 'success', data: body }),
    stream: (chunks) =>
      chunks.map((chunk) => ({
        ...chunk,
        choices: [{ ...chunk.choices[0], delta: undefined, message: chunk.choices[0].delta }],
      })),
  },
  'no-reason': {
    plain: (body) => ({ ...body, choices: [{ ...body.choices[0], finish_reason: undefined }] }),
    stream: (chunks) => chunks.map((chunk) => ({ ...chunk, choices: [{ ...chunk.choices[0], finish_reason: null }] })),
  },
  'error-mid': {
    plain: (body) => ({ ...body, ...OVERLOADED }),
    stream: (chunks) => [...half(chunks), OVERLOADED],
  },
  'error-named': {
    plain: () => ({ type: 'error', message: OVERLOADED.error.message }),
    stream: (chunks) => [...half(chunks), `event: error\ndata: {"message":"${OVERLOADED.error.message}"}\n\n`],
  },
} as const satisfies Readonly<Record<string, Form>>;

/** The form of this name; undefined for names that are none of these. */
export const oddChat = (name: string | undefined): Form | undefined =>
  name !== undefined && Object.hasOwn(ODD_CHAT, name) ? ODD_CHAT[name as keyof typeof ODD_CHAT] : undefined;
