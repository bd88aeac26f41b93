/**
 * Shapes of `/v1/chat/completions` (upstream.md §6.1), as upstream documents them. Only `choices` is checked: every other field comes along
 * as it was sent, vendor fields too, and may be of another type than is said here or missing. Nothing is filled in and nothing is dropped.
 */
export interface ChatCompletion {
  id?: string | null;
  /** May be an empty string. */
  object?: string | null;
  created?: number | null;
  model?: string | null;
  system_fingerprint?: string | null;
  usage?: ChatUsage | null;
  choices: ChatChoice[];
  [field: string]: unknown;
}

/** A piece of a streamed answer. */
export interface ChatChunk extends Omit<ChatCompletion, 'choices'> {
  choices: ChatChunkChoice[];
}

export interface ChatChoice extends Ending {
  message: ChatAnswer;
}

export interface ChatChunkChoice extends Ending {
  /** What is added to the message. */
  delta?: Partial<ChatAnswer> | null;
  /** The whole message so far, or a piece of it, from upstreams that send no `delta`. */
  message?: ChatAnswer | null;
}

interface Ending {
  index?: number | null;
  finish_reason?: string | null;
  content_filter_results?: Record<string, unknown> | null;
  [field: string]: unknown;
}

/** What the model says. */
export interface ChatAnswer {
  role?: string | null;
  content?: string | ContentPart[] | null;
  [field: string]: unknown;
}

export interface ContentPart {
  type?: string;
  text?: string;
  [field: string]: unknown;
}

export interface ChatUsage {
  prompt_tokens?: number | null;
  completion_tokens?: number | null;
  total_tokens?: number | null;
  prompt_tokens_details?: Record<string, unknown> | null;
  completion_tokens_details?: Record<string, unknown> | null;
  [field: string]: unknown;
}

/** A message of the request: text, or parts with text and images (upstream.md §6.1). */
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
