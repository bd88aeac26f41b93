/**
 * What a model costs, in credits: for a call, for a million tokens in and out, or for a second of video by resolution. In this form it
 * also stands in files and answers, so its names are those of JSON.
 */
export type ModelPrice =
  | { readonly credits: number }
  | { readonly input: number; readonly output: number }
  | { readonly per_second: Readonly<Record<string, number>> };

/** What upstream says of a model; `null` where it says nothing that could be read. */
export interface ListedModel {
  /** The name that calls take. */
  readonly id: string;
  readonly type: 'image' | 'chat' | 'video' | null;
  readonly price: ModelPrice | null;
  /** Upstream's text while it works on the model; `null`: it is not down for that. */
  readonly maintenance: string | null;
  /** It takes no calls. */
  readonly closed: boolean;
  /** Whether the credits of a task come back that failed, or broke the content policy. */
  readonly refunds: { readonly error: boolean | null; readonly violation: boolean | null };
  /** Most tokens of an answer. */
  readonly tokenLimit: number | null;
}
