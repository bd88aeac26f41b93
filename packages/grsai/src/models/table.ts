import { FULL_PIXELS, ONE_K_PIXELS, type PixelRule } from './pixels.ts';

/** `remapped`: the name is taken and served by another model. `legacy`: only on `/v1/draw`, which this client does not speak. */
export type ModelState = 'live' | 'remapped' | 'withdrawn' | 'removed' | 'legacy';

/** What is known of an image model (upstream.md §9.1, autumn 2026). A rule that is not set is not known, and checks nothing. */
export interface ImageModel {
  readonly name: string;
  readonly family: 'nano-banana' | 'gpt-image';
  readonly state: ModelState;
  /** Values of `imageSize`; empty: the model has no such field, and a task that carries it stalls (upstream.md §12 T17). */
  readonly sizes?: readonly string[];
  /** Ratios, and words like `auto`, that `aspectRatio` takes. */
  readonly ratios?: readonly string[];
  /** The rule for pixels in `aspectRatio`; `none`: the model takes ratios only. */
  readonly pixels?: PixelRule | 'none';
  /** Values of `quality`; empty: the model has no such field. */
  readonly qualities?: readonly string[];
  /** Takes `background: "transparent"`. */
  readonly background?: boolean;
  /** Takes a `mask`. */
  readonly mask?: boolean;
}

export const BASE_RATIOS = ['auto', '1:1', '16:9', '9:16', '4:3', '3:4', '3:2', '2:3', '5:4', '4:5', '21:9'] as const;
const EXTREME_RATIOS = [...BASE_RATIOS, '1:4', '4:1', '1:8', '8:1'];
/** `1:3` and `3:1` stand on the legacy page only. */
const GPT_RATIOS = [...BASE_RATIOS, '9:21', '1:2', '2:1', '1:3', '3:1'];

const NANO = { family: 'nano-banana', pixels: 'none', qualities: [], background: false, mask: false } as const;
const GPT = { family: 'gpt-image', sizes: [], mask: true } as const;

const nano = (name: string, sizes: readonly string[], ratios: readonly string[], state: ModelState = 'live'): ImageModel => ({
  ...NANO,
  name,
  sizes,
  ratios,
  state,
});

/** Image models by name. Names change without notice (upstream.md §12 T16): one that is missing here is not wrong. */
export const IMAGE_MODELS: readonly ImageModel[] = [
  nano('nano-banana', [], BASE_RATIOS, 'removed'),
  // Served by nano-banana-2-lite since July 2026, so that model's sizes and ratios count.
  nano('nano-banana-fast', ['1K'], EXTREME_RATIOS, 'remapped'),
  nano('nano-banana-2', ['1K', '2K', '4K'], EXTREME_RATIOS),
  nano('nano-banana-2-lite', ['1K'], EXTREME_RATIOS),
  nano('nano-banana-2-cl', ['1K'], EXTREME_RATIOS),
  nano('nano-banana-2-2k-cl', ['2K'], EXTREME_RATIOS),
  nano('nano-banana-2-4k-cl', ['4K'], EXTREME_RATIOS),
  nano('nano-banana-pro', ['1K', '2K', '4K'], BASE_RATIOS),
  nano('nano-banana-pro-vt', ['1K', '2K', '4K'], BASE_RATIOS, 'withdrawn'),
  nano('nano-banana-pro-cl', ['1K'], BASE_RATIOS),
  nano('nano-banana-pro-vip', ['1K', '2K'], BASE_RATIOS),
  nano('nano-banana-pro-4k-vip', ['4K'], BASE_RATIOS),
  {
    ...GPT,
    name: 'gpt-image-2',
    state: 'live',
    ratios: GPT_RATIOS,
    pixels: ONE_K_PIXELS,
    qualities: ['auto'],
    background: false,
  },
  {
    ...GPT,
    name: 'gpt-image-2.5',
    state: 'live',
    ratios: GPT_RATIOS,
    pixels: ONE_K_PIXELS,
    qualities: ['auto'],
    background: false,
  },
  {
    ...GPT,
    name: 'gpt-image-2-vip',
    state: 'live',
    ratios: ['auto'],
    pixels: FULL_PIXELS,
    qualities: ['medium'],
    background: false,
  },
  {
    ...GPT,
    name: 'gpt-image-2.5-flare',
    state: 'live',
    ratios: ['auto'],
    pixels: FULL_PIXELS,
    qualities: ['low', 'medium', 'high'],
    background: true,
  },
  {
    ...GPT,
    name: 'gpt-image-2.5-sunburst',
    state: 'live',
    ratios: ['auto'],
    pixels: FULL_PIXELS,
    qualities: ['low', 'medium', 'high', 'xhigh', 'max'],
    background: true,
  },
  { name: 'sora-image', family: 'gpt-image', state: 'legacy' },
  { name: 'gpt-image-1', family: 'gpt-image', state: 'legacy' },
  { name: 'gpt-image-1.5', family: 'gpt-image', state: 'legacy' },
];

const BY_NAME: ReadonlyMap<string, ImageModel> = new Map(IMAGE_MODELS.map((model) => [model.name, model]));

/** What is known of a model; `undefined` for a name that the table does not have. */
export const imageModel = (name: string): ImageModel | undefined => BY_NAME.get(name);

/** All values that `quality` has on any model (upstream.md §3.1). */
export const QUALITIES = ['auto', 'low', 'medium', 'high', 'xhigh', 'max'] as const;

/** Chat models that were seen: a list, not a contract (upstream.md §9.5). */
export const CHAT_MODELS: readonly string[] = [
  'gemini-3.1-pro',
  'gemini-3-pro',
  'gemini-3-flash',
  'gemini-3.5-flash',
  'gemini-3.5-flash-lite',
  'gemini-3.1-flash-lite',
  'gemini-3.7-flash',
  'gemini-3.8-flash',
  'gemini-2.5-pro',
  'gemini-2.5-flash',
  'gpt-5.5',
  'gpt-5.6-terra',
  'gpt-5.6-sol',
  'gpt-6-astra',
  'gpt-4o-mini',
  'gpt-4o-all',
];

/** The video model on the same path (upstream.md §3.1): it has words of its own in `aspectRatio`. */
export const VIDEO_MODEL = {
  name: 'minimax-h3',
  ratios: ['portrait', 'landscape', 'square'],
  resolutions: ['480p', '768p', '1080p'],
  maxSeconds: 15,
  maxSecondsAt1080p: 10,
  maxImages: 9,
  maxAudios: 3,
} as const;
