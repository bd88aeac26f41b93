import { CHAT_MODELS, IMAGE_MODELS, VIDEO } from './models.ts';

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

/** A row of the model list. The names of its fields are ours; what they tell is record. */
export type ListedModel = Readonly<Record<string, unknown>> & { readonly model: string };

/** All models of the current API with their prices, before anything is said of their state. */
export function priceList(): ListedModel[] {
  const images = Object.entries(IMAGE_MODELS).map(([model, { cost, shape, state }]) => ({
    model,
    state,
    type: shape === 'words' ? 'video' : 'image',
    ...(shape === 'words' ? { priceType: 'second', prices: PER_SECOND } : { priceType: 'call', price: cost }),
    maxTokens: 0,
  }));
  const chat = Object.entries(CHAT_MODELS).map(([model, state]) => {
    const { input, output } = tokenPrice(model);
    return { model, state, type: 'chat', priceType: 'token', inputPrice: input, outputPrice: output, maxTokens: 65_536 };
  });
  return [...images, ...chat];
}
