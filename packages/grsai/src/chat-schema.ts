import { z } from 'zod';

/**
 * Shapes of `/v1/chat/completions` (grsai-api §6.1). Loose on purpose: `object` may be an empty string, details may be `null`, vendor
 * fields such as `content_filter_results` come along. Nothing is filled in and nothing is dropped, so an answer survives a round trip.
 */
const Usage = z.looseObject({
  prompt_tokens: z.number().nullish(),
  completion_tokens: z.number().nullish(),
  total_tokens: z.number().nullish(),
  prompt_tokens_details: z.looseObject({}).nullish(),
  completion_tokens_details: z.looseObject({}).nullish(),
});

const ContentPart = z.looseObject({ type: z.string() });

const Message = z.looseObject({
  role: z.string().nullish(),
  content: z.union([z.string(), z.array(ContentPart)]).nullish(),
});

const head = {
  id: z.string().nullish(),
  object: z.string().nullish(),
  created: z.number().nullish(),
  model: z.string().nullish(),
  system_fingerprint: z.string().nullish(),
  usage: Usage.nullish(),
};

const ending = {
  index: z.number().nullish(),
  finish_reason: z.string().nullish(),
  content_filter_results: z.looseObject({}).nullish(),
};

export const ChatCompletion = z.looseObject({ ...head, choices: z.array(z.looseObject({ ...ending, message: Message })) });
export type ChatCompletion = z.infer<typeof ChatCompletion>;

export const ChatChunk = z.looseObject({
  ...head,
  choices: z.array(z.looseObject({ ...ending, delta: Message.nullish() })),
});
export type ChatChunk = z.infer<typeof ChatChunk>;

/** A message of the request: text, or parts with text and images (grsai-api §6.1). */
export interface ChatMessage {
  readonly role: string;
  readonly content: string | readonly Readonly<Record<string, unknown>>[] | null;
  readonly [field: string]: unknown;
}

/** Body of the call; sampling fields are passed on as they are. `stream` is set by the client. */
export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly [field: string]: unknown;
}

/** Whether no choice says anything: a 200 with empty content is a failure of upstream in disguise (grsai-api §12 T20). */
export function isEmptyCompletion({ choices }: ChatCompletion): boolean {
  return choices.every(({ message }) => {
    const { content, role: _role, ...rest } = message;
    const silent =
      content === null || content === undefined || content.length === 0 || (typeof content === 'string' && content.trim() === '');
    return (
      silent && Object.values(rest).every((value) => value === null || value === undefined || value === '' || isEmptyList(value))
    );
  });
}

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;
