import { imageModel } from '@grsai-jobs/grsai/models';

/** What a size of OpenAI is for a model, or why it is none. */
export type SizeRead = { fields: { aspect_ratio?: string; image_size?: string } } | { problem: string };

const PIXELS = /^([1-9]\d{0,4})x([1-9]\d{0,4})$/;
const RATIO = /^([1-9]\d{0,3}):([1-9]\d{0,3})$/;

/** Sides that are longer are asked for by a size of their own. */
const SIZES = [
  { above: 2560, size: '4K' },
  { above: 1536, size: '2K' },
] as const;

const quotient = (ratio: string): number => {
  const [, width, height] = RATIO.exec(ratio) ?? [];
  return Number(width) / Number(height);
};

/** The ratio that is nearest to these pixels, by how much one has to be stretched to the other. */
function nearestRatio(width: number, height: number, ratios: readonly string[]): string | undefined {
  const stretch = (ratio: string) => Math.abs(Math.log(quotient(ratio) * (height / width)));
  return ratios.filter((ratio) => RATIO.test(ratio)).toSorted((a, b) => stretch(a) - stretch(b))[0];
}

/**
 * Reads `size` for a model: for one that takes ratios the nearest ratio, with `2K` or `4K` for a longest side above 1536 or 2560; for one that
 * takes pixels, and for one that nobody knows, the pixels. A ratio is taken as it is, and `auto` says nothing.
 */
export function readSize(size: string, modelName: string): SizeRead {
  if (size === 'auto') return { fields: {} };
  if (RATIO.test(size)) return { fields: { aspect_ratio: size } };
  const [, wide, high] = PIXELS.exec(size) ?? [];
  if (wide === undefined || high === undefined) return { problem: 'must be "auto", pixels as "1024x1024" or a ratio as "3:2"' };
  const model = imageModel(modelName);
  if (model?.pixels !== 'none') return { fields: { aspect_ratio: size } };
  const [width, height] = [Number(wide), Number(high)];
  const wanted = SIZES.find(({ above }) => Math.max(width, height) > above)?.size;
  const { sizes = [], ratios = [] } = model;
  if (wanted !== undefined && !sizes.includes(wanted))
    return {
      problem: `${modelName} does not make images as large as ${size}; it has ${sizes.join(', ') || 'no sizes to choose from'}`,
    };
  const ratio = nearestRatio(width, height, ratios);
  return {
    fields: { ...(ratio === undefined ? {} : { aspect_ratio: ratio }), ...(wanted === undefined ? {} : { image_size: wanted }) },
  };
}
