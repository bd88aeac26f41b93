/** Models, sizes and prices as the public record had them in autumn 2026 (upstream.md §9, §10.4). Data only: the vendor changes it often. */

export type ModelState = 'live' | 'maintenance' | 'removed';
type Size = '1K' | '2K' | '4K';

/**
 * What `aspectRatio` may hold: a list of ratios, pixels by the rules of upstream.md §9.2, both, or the words of the video model.
 * `auto` is taken everywhere but in `words`.
 */
export type Shape = 'base' | 'extreme' | 'gpt' | 'pixels' | 'words' | 'any';

export interface ImageModel {
  readonly sizes: readonly Size[];
  readonly shape: Shape;
  /** Credits for one task. */
  readonly cost: number;
  readonly state: ModelState;
  /** Empty: the field is ignored. */
  readonly qualities: readonly string[];
  /** Does it make a transparent background? */
  readonly transparent: boolean;
}

const BASE = ['auto', '1:1', '16:9', '9:16', '4:3', '3:4', '3:2', '2:3', '5:4', '4:5', '21:9'];

export const RATIOS: Readonly<Record<'base' | 'extreme' | 'gpt', readonly string[]>> = {
  base: BASE,
  extreme: [...BASE, '1:4', '4:1', '1:8', '8:1'],
  gpt: [...BASE, '9:21', '1:2', '2:1', '1:3', '3:1'],
};

const ALL: readonly Size[] = ['1K', '2K', '4K'];

function model(
  shape: Shape,
  cost: number,
  sizes: readonly Size[],
  qualities: readonly string[] = [],
  state: ModelState = 'live',
  transparent = false,
): ImageModel {
  return { shape, cost, sizes, qualities, state, transparent };
}

/** Prices of models that the list of upstream.md §10.4 leaves out are ours. */
export const IMAGE_MODELS: Readonly<Record<string, ImageModel>> = {
  'nano-banana': model('base', 440, [], [], 'removed'),
  // Served by the lite model since July 2026.
  'nano-banana-fast': model('extreme', 440, ['1K']),
  'nano-banana-2': model('extreme', 1200, ALL),
  'nano-banana-2-lite': model('extreme', 440, ['1K']),
  'nano-banana-2-cl': model('extreme', 6000, ['1K']),
  'nano-banana-2-2k-cl': model('extreme', 9000, ['2K']),
  'nano-banana-2-4k-cl': model('extreme', 13_000, ['4K']),
  'nano-banana-pro': model('base', 1800, ALL),
  'nano-banana-pro-vt': model('base', 1800, ALL, [], 'removed'),
  'nano-banana-pro-cl': model('base', 10_000, ['1K']),
  'nano-banana-pro-vip': model('base', 10_000, ['1K', '2K']),
  'nano-banana-pro-4k-vip': model('base', 18_000, ['4K']),
  'gpt-image-2': model('gpt', 600, [], ['auto']),
  'gpt-image-2-vip': model('pixels', 2000, [], ['medium']),
  'gpt-image-2.5': model('gpt', 600, [], ['auto']),
  'gpt-image-2.5-flare': model('pixels', 2000, [], ['low', 'medium', 'high'], 'live', true),
  'gpt-image-2.5-sunburst': model('pixels', 2400, [], ['low', 'medium', 'high', 'xhigh', 'max'], 'live', true),
  'minimax-h3': model('words', 20_000, []),
};

/** Models of the legacy pages that the current API does not list (upstream.md §5.1). */
export const LEGACY_MODELS: Readonly<Record<string, ImageModel>> = {
  'sora-image': model('any', 600, []),
  'gpt-image-1': model('any', 600, []),
  'gpt-image-1.5': model('any', 600, []),
  'flux-kontext-pro': model('any', 1000, []),
  'flux-kontext-max': model('any', 2000, []),
  'flux-pro-1.1': model('any', 1000, []),
  'flux-pro-1.1-ultra': model('any', 1500, []),
};

export const CHAT_MODELS: Readonly<Record<string, ModelState>> = {
  'gemini-3.1-pro': 'live',
  'gemini-3-pro': 'live',
  'gemini-3-flash': 'live',
  'gemini-3.5-flash': 'live',
  'gemini-3.5-flash-lite': 'live',
  'gemini-3.1-flash-lite': 'live',
  'gemini-3.7-flash': 'live',
  'gemini-3.8-flash': 'live',
  'gemini-2.5-pro': 'live',
  'gemini-2.5-flash': 'live',
  'gpt-5.5': 'live',
  'gpt-5.6-terra': 'live',
  'gpt-5.6-sol': 'live',
  'gpt-6-astra': 'live',
  'gpt-4o-mini': 'live',
  'gpt-4o-all': 'live',
  'gpt-5.4': 'removed',
};

/** Sizes that the plain gpt-image-2 returns (upstream.md §9.3); portrait forms are mirrored. */
export const GPT_IMAGE_SIZES: Readonly<Record<string, readonly [number, number]>> = {
  '1:1': [1024, 1024],
  '16:9': [1672, 941],
  '4:3': [1443, 1090],
  '3:2': [1536, 1024],
  '5:4': [1408, 1120],
  '21:9': [1920, 832],
  '2:1': [1792, 896],
};

/** Limits of pixel sizes (upstream.md §9.2). */
/** The most pixels of a model of about 1K; ours, and enough for all that upstream is known to return. */
export const ONE_K_PIXELS = 2_097_152;

export const PIXELS = { longest: 3840, multiple: 16, steepest: 3, least: 655_360, most: 8_294_400 } as const;

/** The video model on the current API (upstream.md §3.1). */
export const VIDEO = {
  words: { portrait: [9, 16], landscape: [16, 9], square: [1, 1] } as Readonly<Record<string, readonly [number, number]>>,
  resolutions: ['480p', '768p', '1080p'],
  /** What an order that does not say gets; ours. */
  resolution: '768p',
  seconds: 5,
  maxSeconds: 15,
  maxSecondsAt1080: 10,
  maxImages: 9,
  maxAudios: 3,
} as const;
