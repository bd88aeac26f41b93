/** What a model costs, in credits: for a call, for a million tokens in and out, or for a second of video by resolution. */
export type ModelPrice =
  | { readonly credits: number }
  | { readonly input: number; readonly output: number }
  | { readonly per_second: Readonly<Record<string, number>> };

/** What upstream says of a model; `null` where it says nothing. */
export interface ListedModel {
  readonly id: string;
  readonly type: 'image' | 'chat' | 'video' | null;
  readonly price: ModelPrice | null;
  /** Upstream's text while it works on the model. */
  readonly maintenance: string | null;
  readonly closed: boolean;
  /** Whether the credits of a task come back that failed, or broke the content policy. */
  readonly refunds: { readonly error: boolean | null; readonly violation: boolean | null };
  readonly tokenLimit: number | null;
}

/** Upstream's list as it was read last. */
export interface ReadModels {
  /** Milliseconds since 1970. */
  readonly read_at: number;
  readonly models: readonly ListedModel[];
}

/** Where a price comes from: upstream's list, the file of `MODEL_PRICES`, or the table of this version. */
export const PRICE_SOURCES = ['list', 'file', 'table'] as const;
export type PriceSource = (typeof PRICE_SOURCES)[number];
