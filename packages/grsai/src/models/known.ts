import type { ListedModel, ModelPrice } from './listed.ts';
import { CHAT_MODELS, IMAGE_MODELS, type ModelState, VIDEO_MODEL } from './table.ts';

/** Prices of September 2026 (upstream.md §10.4, §16.1); they change, and models that no public list prices are missing. */
const PRICES: Readonly<Record<string, ModelPrice>> = {
  'nano-banana-2-lite': { credits: 440 },
  'nano-banana-2': { credits: 1200 },
  'nano-banana-2-cl': { credits: 6000 },
  'nano-banana-2-2k-cl': { credits: 9000 },
  'nano-banana-2-4k-cl': { credits: 13_000 },
  'nano-banana-pro': { credits: 1800 },
  'nano-banana-pro-cl': { credits: 10_000 },
  'nano-banana-pro-vip': { credits: 10_000 },
  'nano-banana-pro-4k-vip': { credits: 18_000 },
  'gpt-image-2': { credits: 600 },
  'gpt-image-2.5': { credits: 600 },
  'gpt-image-2-vip': { credits: 2000 },
  'gpt-image-2.5-flare': { credits: 2000 },
  'gpt-image-2.5-sunburst': { credits: 2400 },
  'gemini-3.1-pro': { input: 30_000, output: 140_000 },
  'gemini-3.5-flash': { input: 24_000, output: 200_000 },
  'gpt-5.5': { input: 44_000, output: 270_000 },
};

/** States in which this client can call a model. */
const OPEN: ReadonlySet<ModelState> = new Set(['live', 'remapped']);

/** Plain models give back what an error cost, these tiers do not; what broke the policy is charged (upstream.md §16.1). */
const NO_REFUND = /-(?:cl|vip)$/;

const known = (id: string, type: ListedModel['type'], more: Partial<ListedModel> = {}): ListedModel => ({
  id,
  type,
  price: PRICES[id] ?? null,
  maintenance: null,
  closed: false,
  refunds: { error: null, violation: null },
  tokenLimit: null,
  ...more,
});

/** All models that this version knows, as upstream's list would have them: for when the list cannot be read. */
export const KNOWN_MODELS: readonly ListedModel[] = [
  ...IMAGE_MODELS.map(({ name, state }) =>
    known(name, 'image', { closed: !OPEN.has(state), refunds: { error: !NO_REFUND.test(name), violation: false } }),
  ),
  ...CHAT_MODELS.map((name) => known(name, 'chat')),
  known(VIDEO_MODEL.name, 'video'),
];
