import { CHAT_MODELS, IMAGE_MODELS, type ModelState, VIDEO } from './models.ts';

/** What things cost, and when the money comes back. Data only: the vendor changes it often. */

export interface TokenPrice {
  /** Credits for a million tokens. */
  readonly input: number;
  readonly output: number;
}

/** Listed in September 2026. */
const LISTED: Readonly<Record<string, TokenPrice>> = {
  'gemini-3.1-pro': { input: 30_000, output: 140_000 },
  'gemini-3.5-flash': { input: 24_000, output: 200_000 },
  'gpt-5.5': { input: 44_000, output: 270_000 },
};

/** Of models that the record does not price; ours. */
const USUAL: TokenPrice = { input: 20_000, output: 100_000 };

export const tokenPrice = (model: string): TokenPrice => (Object.hasOwn(LISTED, model) ? LISTED[model] : undefined) ?? USUAL;

/** Credits for so many tokens, to four places. */
export const priceOf = (tokens: number, perMillion: number): number => Math.round((tokens * perMillion) / 100) / 10_000;

/** Credits for a second of video; that it is priced by second and resolution is record, the numbers are ours. */
const PER_SECOND: Readonly<Record<string, number>> = { '480p': 2500, '768p': 4000, '1080p': 8000 };

/** The price of a video, as far as its fields can be read. */
export function videoPrice({
  resolution = VIDEO.resolution,
  duration = VIDEO.seconds,
}: Readonly<Record<string, unknown>>): number {
  const rate = typeof resolution === 'string' ? (PER_SECOND[resolution] ?? 0) : 0;
  return typeof duration === 'number' && duration > 0 ? rate * duration : 0;
}

/** Plain models give back what an error cost, the `-cl` and `-vip` tiers do not (May 2026). */
export const refundsErrors = (model: string): boolean => !/-(?:cl|vip)$/.test(model);

/** What a model costs, and what it may be asked for, before anything is said of its state. */
export interface ListedModel {
  readonly name: string;
  readonly type: 'image' | 'chat' | 'video';
  readonly state: ModelState;
  /** Credits for a call; 0 where tokens or seconds are counted. */
  readonly cost: number;
  readonly tokens?: TokenPrice;
  /** Credits for a second, by resolution. */
  readonly seconds?: Readonly<Record<string, number>>;
  readonly maxTokens: number;
}

/** All models of the current API. */
export function priceList(): ListedModel[] {
  const images = Object.entries(IMAGE_MODELS).map(
    ([name, { cost, shape, state }]): ListedModel =>
      shape === 'words'
        ? { name, state, type: 'video', cost: 0, seconds: PER_SECOND, maxTokens: 0 }
        : { name, state, type: 'image', cost, maxTokens: 0 },
  );
  const chat = Object.entries(CHAT_MODELS).map(
    ([name, state]): ListedModel => ({ name, state, type: 'chat', cost: 0, tokens: tokenPrice(name), maxTokens: 65_536 }),
  );
  return [...images, ...chat];
}
