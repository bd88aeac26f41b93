import { GPT_IMAGE_SIZES, IMAGE_MODELS, ONE_K_PIXELS, PIXELS, RATIOS, type Shape, VIDEO } from './models.ts';

export interface Pixels {
  readonly width: number;
  readonly height: number;
}

/** Reads `1024x768`; undefined when the text has another form. */
export function readPixels(text: string): Pixels | undefined {
  const [, width, height] = /^([1-9]\d{0,4})x([1-9]\d{0,4})$/.exec(text) ?? [];
  return width === undefined || height === undefined ? undefined : { width: Number(width), height: Number(height) };
}

/** The pixel rules of upstream.md §9.2. */
export function keepsPixelRules({ width, height }: Pixels): boolean {
  const [long, short] = [Math.max(width, height), Math.min(width, height)];
  const total = width * height;
  return (
    long <= PIXELS.longest &&
    width % PIXELS.multiple === 0 &&
    height % PIXELS.multiple === 0 &&
    long <= short * PIXELS.steepest &&
    total >= PIXELS.least &&
    total <= PIXELS.most
  );
}

/** Does a model of this shape take this `aspectRatio`? */
export function takesRatio(shape: Shape, ratio: string): boolean {
  const pixels = readPixels(ratio);
  switch (shape) {
    case 'any':
      return true;
    case 'words':
      return Object.hasOwn(VIDEO.words, ratio);
    case 'pixels':
      return ratio === 'auto' || (pixels !== undefined && keepsPixelRules(pixels));
    case 'gpt':
      return RATIOS.gpt.includes(ratio) || (pixels !== undefined && pixels.width * pixels.height <= ONE_K_PIXELS);
    case 'base':
    case 'extreme':
      return RATIOS[shape].includes(ratio);
  }
}

const AREA: Readonly<Record<string, number>> = { '1K': 1024 ** 2, '2K': 2048 ** 2, '4K': 4096 ** 2 };

/** The pixels that an order gives (upstream.md §9.2, §9.3); a ratio without a table is rounded to multiples of 16. */
export function fullSize(model: string, ratio: string, imageSize: string): Pixels {
  const pixels = readPixels(ratio);
  if (pixels !== undefined) return pixels;
  const [across = 1, down = 1] = VIDEO.words[ratio] ?? (/^\d+:\d+$/.test(ratio) ? ratio.split(':').map(Number) : [4, 3]);
  if (IMAGE_MODELS[model]?.shape === 'gpt') {
    const landscape = GPT_IMAGE_SIZES[ratio];
    const portrait = GPT_IMAGE_SIZES[`${down}:${across}`];
    if (landscape !== undefined) return { width: landscape[0], height: landscape[1] };
    if (portrait !== undefined) return { width: portrait[1], height: portrait[0] };
  }
  const unit = Math.sqrt((AREA[imageSize] ?? 1024 ** 2) / (across * down));
  const edge = (part: number): number => Math.max(16, Math.round((part * unit) / 16) * 16);
  return { width: edge(across), height: edge(down) };
}

/** The same shape with its longest edge at most `edge`. */
export function fitInto({ width, height }: Pixels, edge: number | 'full'): Pixels {
  if (edge === 'full') return { width, height };
  const scale = Math.min(1, edge / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}
