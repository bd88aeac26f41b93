import type { ModelPrice } from '@grsai-jobs/jobs';

interface Priced {
  readonly price: ModelPrice;
  /** Upstream keeps what a failed task cost. */
  readonly keepsFailed?: true;
}

/** What calls of the world cost: upstream takes it, and the operator has it in a file of prices. */
const MODELS: Readonly<Record<string, Priced>> = {
  'nano-banana-2': { price: { credits: 1200 } },
  'nano-banana-pro': { price: { credits: 1800 } },
  'nano-banana-2-cl': { price: { credits: 6000 }, keepsFailed: true },
  'gemini-3.1-pro': { price: { input: 30_000, output: 140_000 } },
  'gemini-3-flash': { price: { credits: 10 } },
};

export const PRICES: ReadonlyMap<string, ModelPrice> = new Map(
  Object.entries(MODELS).map(([model, { price }]) => [model, price]),
);

/** Models that an order may go on with when its own takes no calls. */
export const FALLBACKS = { image: ['nano-banana-pro', 'nano-banana-2-cl'], chat: ['gemini-3-flash'] } as const;

export const keepsFailed = (model: string): boolean => MODELS[model]?.keepsFailed === true;

/** What one call costs. */
export function creditsOf(model: string, tokens = { prompt: 0, completion: 0 }): number {
  const price = MODELS[model]?.price;
  if (price !== undefined && 'credits' in price) return price.credits;
  if (price !== undefined && 'input' in price)
    return Math.ceil((tokens.prompt * price.input + tokens.completion * price.output) / 1_000_000);
  throw new Error(`the world has no price of ${model}`);
}
