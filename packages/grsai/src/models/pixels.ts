/** What a model asks of `"<width>x<height>"`; what is not set is not known, so not checked. */
export interface PixelRule {
  readonly maxEdge?: number;
  readonly multipleOf?: number;
  /** Long edge to short edge. */
  readonly maxStretch?: number;
  readonly minPixels?: number;
  readonly maxPixels: number;
}

/** `gpt-image-2-vip`, `2.5-flare`, `2.5-sunburst` (upstream.md §9.2). */
export const FULL_PIXELS: PixelRule = { maxEdge: 3840, multipleOf: 16, maxStretch: 3, minPixels: 655_360, maxPixels: 8_294_400 };

/** Models of "about 1K" (upstream.md §9.1). No limit is published; 2 MiPx lets through all that upstream is known to return (§9.3). */
export const ONE_K_PIXELS: PixelRule = { maxPixels: 2_097_152 };

export type PixelSize = '1K' | '2K' | '4K';

/** Sizes known to be right for `FULL_PIXELS`, landscape (upstream.md §9.2). */
export const PIXEL_TABLE: Readonly<Record<string, Readonly<Partial<Record<PixelSize, string>>>>> = {
  '1:1': { '1K': '1024x1024', '2K': '2048x2048', '4K': '2880x2880' },
  '16:9': { '1K': '1280x720', '2K': '2048x1152', '4K': '3840x2160' },
  '4:3': { '1K': '1152x864', '2K': '2304x1728', '4K': '3264x2448' },
  '3:2': { '1K': '1536x1024', '2K': '2048x1360', '4K': '3504x2336' },
  '5:4': { '1K': '1120x896', '2K': '2240x1792', '4K': '3200x2560' },
  '21:9': { '1K': '1456x624', '2K': '2912x1248', '4K': '3840x1648' },
  '2:1': { '1K': '1536x768', '2K': '3072x1536', '4K': '3840x1920' },
  '3:1': { '2K': '2048x688', '4K': '3840x1280' },
};

const swap = (text: string, by: string): string => text.split(by).reverse().join(by);

/** Pixels of a ratio at a size, portrait ratios too; `undefined` when the table has none. */
export const pixelsFor = (ratio: string, size: PixelSize): string | undefined => {
  const portrait = PIXEL_TABLE[swap(ratio, ':')]?.[size];
  return PIXEL_TABLE[ratio]?.[size] ?? (portrait && swap(portrait, 'x'));
};

export interface Pixels {
  readonly width: number;
  readonly height: number;
}

/** `"1024x1024"` taken apart; `undefined` for anything else. */
export function parsePixels(text: string): Pixels | undefined {
  const found = /^([1-9]\d{0,4})x([1-9]\d{0,4})$/.exec(text);
  return found === null ? undefined : { width: Number(found[1]), height: Number(found[2]) };
}

/** Everything about the pixels that breaks the rule, in words. */
export function pixelProblems({ width, height }: Pixels, rule: PixelRule): string[] {
  const [long, short] = width > height ? [width, height] : [height, width];
  const total = width * height;
  const checks: readonly (readonly [boolean, string])[] = [
    [long > (rule.maxEdge ?? Infinity), `the longest edge may have ${rule.maxEdge} pixels`],
    [[width, height].some((edge) => edge % (rule.multipleOf ?? 1) !== 0), `both edges must be multiples of ${rule.multipleOf}`],
    [long > short * (rule.maxStretch ?? Infinity), `the long edge may be ${rule.maxStretch} times the short one`],
    [total < (rule.minPixels ?? 0), `at least ${rule.minPixels} pixels in all, this has ${total}`],
    [total > rule.maxPixels, `at most ${rule.maxPixels} pixels in all, this has ${total}`],
  ];
  return checks.filter(([broken]) => broken).map(([, words]) => words);
}
