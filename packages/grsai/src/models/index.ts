/** Models of upstream as data, and a validator: no network, no dependency. */
export { KNOWN_MODELS } from './known.ts';
export type { ListedModel, ModelPrice } from './listed.ts';
export { FULL_PIXELS, ONE_K_PIXELS, PIXEL_TABLE, type PixelRule, type PixelSize, pixelsFor } from './pixels.ts';
export type { Problem } from './problem.ts';
export {
  BASE_RATIOS,
  CHAT_MODELS,
  IMAGE_MODELS,
  type ImageModel,
  imageModel,
  type ModelState,
  QUALITIES,
  VIDEO_MODEL,
} from './table.ts';
export { imageTaskWarnings, validateImageTask } from './validate.ts';
