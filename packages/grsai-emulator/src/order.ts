import { IMAGE_MODELS, type ImageModel, LEGACY_MODELS, VIDEO } from './models.ts';
import type { Fields } from './paid.ts';
import type { Settings } from './settings.ts';
import { fullSize, type Pixels, takesRatio } from './sizes.ts';

/** What an image order says, whatever its dialect calls the fields. */
export interface ImageFields {
  readonly model: string;
  readonly prompt: unknown;
  readonly images: unknown;
  readonly ratio: unknown;
  readonly imageSize: unknown;
  readonly quality: unknown;
  readonly background: unknown;
}

export interface ImageReading {
  readonly model: ImageModel | undefined;
  readonly size: Pixels;
  /** Refused at once with this text. */
  readonly complaint: string | undefined;
  /** Taken, but the model cannot do it: see the setting `badSize`. */
  readonly impossible: boolean;
}

export const INVALID = 'Invalid input parameters';
const BAD_IMAGE = 'The image format is incorrect, please use png or jpeg';

/** The input rules of upstream.md §3, §9. */
export function readImageOrder(fields: ImageFields, legacy: boolean, settings: Settings): ImageReading {
  const model = ownRow(IMAGE_MODELS, fields.model) ?? (legacy ? ownRow(LEGACY_MODELS, fields.model) : undefined);
  const ratio = fields.ratio ?? 'auto';
  // A model that has one size only makes that one.
  const imageSize = fields.imageSize ?? model?.sizes[0] ?? '1K';
  const wellFormed =
    isText(fields.prompt) && typeof ratio === 'string' && typeof imageSize === 'string' && isTextList(fields.images ?? []);
  if (!wellFormed) return { model, size: { width: 1024, height: 1024 }, complaint: INVALID, impossible: false };
  const badImage = (fields.images as readonly string[] | undefined)?.some((image) => !isImage(image)) === true;
  const impossible = model !== undefined && !isPossible(model, ratio, imageSize, fields);
  const refused = impossible && settings.badSize === 'refuse' ? INVALID : undefined;
  return {
    model,
    size: fullSize(fields.model, ratio, imageSize),
    complaint: badImage ? BAD_IMAGE : refused,
    impossible: impossible && refused === undefined,
  };
}

/** The video model's own rules (upstream.md §3.1). */
export function videoComplaint(fields: Fields): string | undefined {
  const { aspectRatio, resolution = VIDEO.resolution, duration = VIDEO.seconds, images = [], audios = [] } = fields;
  if (aspectRatio !== undefined && !(typeof aspectRatio === 'string' && takesRatio('words', aspectRatio))) {
    return 'aspectRatio must be portrait, landscape or square';
  }
  const longest = resolution === '1080p' ? VIDEO.maxSecondsAt1080 : VIDEO.maxSeconds;
  const fine =
    VIDEO.resolutions.some((known) => known === resolution) &&
    Number.isInteger(duration) &&
    Number(duration) >= 1 &&
    Number(duration) <= longest &&
    isTextList(images) &&
    images.length <= VIDEO.maxImages &&
    isTextList(audios) &&
    audios.length <= VIDEO.maxAudios;
  return fine ? undefined : INVALID;
}

/** A model without sizes ignores `imageSize`, as one without qualities ignores `quality`. */
function isPossible(model: ImageModel, ratio: string, imageSize: string, { quality, background }: ImageFields): boolean {
  if (model.shape === 'words') return true;
  const sizeFits = model.sizes.length === 0 || model.sizes.some((size) => size === imageSize);
  const qualityFits = quality === undefined || model.qualities.length === 0 || model.qualities.some((known) => known === quality);
  return sizeFits && qualityFits && (background !== 'transparent' || model.transparent) && takesRatio(model.shape, ratio);
}

function ownRow(table: Readonly<Record<string, ImageModel>>, name: string): ImageModel | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

const isText = (value: unknown): value is string => typeof value === 'string' && value.trim() !== '';
const isTextList = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

/** First bytes of PNG, JPEG, GIF and WebP. */
const MAGIC = ['89504e47', 'ffd8ff', '47494638', '52494646'];

/** A URL, a data URL or bare base64 (upstream.md §9.4); base64 has to begin like an image. URLs are not fetched. */
function isImage(text: string): boolean {
  if (/^https?:\/\/\S+$/i.test(text)) return true;
  const base64 = /^data:image\/[a-z+.-]+;base64,/i.test(text.slice(0, 100))
    ? text.slice(text.indexOf(',') + 1, text.indexOf(',') + 33)
    : text.slice(0, 32);
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return false;
  const head = Buffer.from(base64, 'base64').toString('hex');
  return MAGIC.some((magic) => head.startsWith(magic));
}
