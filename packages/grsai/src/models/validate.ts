import { isNewValue, malformedValues, newValues, type OpenField } from './open-values.ts';
import { parsePixels, pixelProblems } from './pixels.ts';
import type { Problem } from './problem.ts';
import { type ImageModel, imageModel, VIDEO_MODEL } from './table.ts';

type Fields = Readonly<Record<string, unknown>>;
type Check = (task: Fields) => readonly Problem[];

const problem = (field: string, message: string): readonly Problem[] => [{ field, message }];
const NONE: readonly Problem[] = [];

/** Names that upstream would ignore without a word (upstream.md §2, §3.1), and what to write instead. */
const STRANGERS: Readonly<Record<string, string>> = {
  aspect_ratio: 'upstream ignores it; write aspectRatio',
  image_size: 'upstream ignores it; write imageSize',
  reply_type: 'upstream ignores it; write replyType',
  size: 'not on this endpoint; write aspectRatio',
  urls: 'a field of the legacy API; write images',
  image: 'not on this endpoint; write images',
  webHook: 'not on this endpoint; ask for the result instead',
  shutProgress: 'a field of the legacy API',
  n: 'one request makes one image; send several',
  negative_prompt: 'there is none',
  negativePrompt: 'there is none',
};

const strangers: Check = (task) =>
  Object.entries(STRANGERS)
    .filter(([field]) => task[field] !== undefined)
    .map(([field, message]) => ({ field, message }));

const texts: Check = (task) =>
  ['model', 'prompt'].flatMap((field) => {
    const value = task[field];
    return typeof value === 'string' && value.trim() !== '' ? NONE : problem(field, 'must be a text that is not empty');
  });

const words: Check = (task) =>
  ['aspectRatio', 'imageSize', 'quality', 'background', 'mask'].flatMap((field) =>
    task[field] === undefined || typeof task[field] === 'string' ? NONE : problem(field, 'must be a text'),
  );

/** Long enough to tell base64 from a path or a sentence, short enough for an image of many megabytes. */
const HEAD = 256;

/** URL, data URL or bare base64 (upstream.md §9.4). */
function imageProblem(image: unknown): string | undefined {
  if (typeof image !== 'string' || image === '') return 'must be a URL, a data URL or base64';
  const head = image.slice(0, HEAD);
  if (/^https?:\/\//i.test(head)) return URL.canParse(image) ? undefined : 'is no valid URL';
  if (/^data:/i.test(head))
    return /^data:image\/[\w.+-]+;base64,/i.test(head) ? undefined : 'a data URL must be data:image/…;base64,…';
  return /^[A-Za-z0-9+/_-]+={0,2}$/.test(head.replace(/\s/g, '')) ? undefined : 'must be a URL, a data URL or base64';
}

const references: Check = ({ images }) => {
  if (images === undefined) return NONE;
  if (!Array.isArray(images)) return problem('images', 'must be a list');
  return images.flatMap((image, index) => {
    const message = imageProblem(image);
    return message === undefined ? NONE : problem(`images[${index}]`, message);
  });
};

const mask: Check = (task) => {
  if (typeof task['mask'] !== 'string') return NONE;
  return /^https?:\/\//i.test(task['mask']) && URL.canParse(task['mask']) ? NONE : problem('mask', 'must be an http(s) URL');
};

function oneOf(field: string, value: unknown, allowed: readonly string[]): readonly Problem[] {
  if (typeof value !== 'string' || allowed.includes(value)) return NONE;
  return problem(field, `must be one of ${allowed.join(', ')}`);
}

const GENERAL: readonly Check[] = [strangers, texts, words, references];
const IMAGE: readonly Check[] = [mask, malformedValues];

/**
 * What is known to be wrong with a task for `POST /v1/api/generate` (upstream.md §3.1, §9), all of it, with upstream's camelCase names;
 * empty when nothing is. An unknown model passes with every value that any model could take, and so does an unknown field, and a value
 * that no list knows yet (`imageTaskWarnings` has those). Needs no network and no key. Total: it takes any value.
 */
export function validateImageTask(task: unknown): Problem[] {
  if (typeof task !== 'object' || task === null || Array.isArray(task)) return [{ field: '', message: 'must be an object' }];
  const fields = task as Fields;
  const general = GENERAL.flatMap((check) => check(fields));
  if (fields['model'] === VIDEO_MODEL.name) return [...general, ...videoProblems(fields)];
  const model = typeof fields['model'] === 'string' ? imageModel(fields['model']) : undefined;
  const found = [...general, ...IMAGE.flatMap((check) => check(fields))];
  // What cannot be meant at all was reported already.
  const known = new Set(found.map(({ field }) => field));
  return [...found, ...(model === undefined ? [] : modelProblems(fields, model).filter(({ field }) => !known.has(field)))];
}

/**
 * Values that the task passes on though no model is known to take them, such as a quality that is newer than the table. Upstream may
 * refuse or ignore them. Empty for a task that is no object. Total: it takes any value.
 */
export function imageTaskWarnings(task: unknown): Problem[] {
  if (typeof task !== 'object' || task === null || Array.isArray(task)) return [];
  const fields = task as Fields;
  if (fields['model'] === VIDEO_MODEL.name) return [];
  const wrong = new Set(validateImageTask(task).map(({ field }) => field));
  return newValues(fields).filter(({ field }) => !wrong.has(field));
}

function modelProblems(task: Fields, model: ImageModel): readonly Problem[] {
  return [
    ...ratioProblems(task['aspectRatio'], model),
    ...sizeProblems('imageSize', task['imageSize'], model, model.sizes),
    ...sizeProblems('quality', task['quality'], model, model.qualities),
    ...sizeProblems('background', task['background'], model, backgroundsOf(model)),
    ...(task['mask'] !== undefined && model.mask === false ? problem('mask', `${model.name} takes none`) : NONE),
  ];
}

/** Undefined: not known. */
const backgroundsOf = ({ background }: ImageModel): readonly string[] | undefined =>
  background === undefined ? undefined : background ? ['transparent'] : [];

function sizeProblems(
  field: OpenField,
  value: unknown,
  { name }: ImageModel,
  allowed: readonly string[] | undefined,
): readonly Problem[] {
  if (typeof value !== 'string' || allowed === undefined || allowed.includes(value)) return NONE;
  // A word that is newer than the table may be right, but a task that carries a size its model has no field for stalls.
  if (isNewValue(field, value) && !(field === 'imageSize' && allowed.length === 0)) return NONE;
  if (allowed.length === 0) return problem(field, `${name} has none; leave it out`);
  return problem(field, `${name} takes ${allowed.join(', ')}`);
}

function ratioProblems(value: unknown, { name, ratios, pixels }: ImageModel): readonly Problem[] {
  if (typeof value !== 'string' || ratios === undefined || ratios.includes(value)) return NONE;
  const size = parsePixels(value);
  // A ratio on a model that takes pixels only is wrong whatever the ratio.
  const takesRatios = ratios.some((known) => known.includes(':'));
  if (takesRatios && isNewValue('aspectRatio', value)) return NONE;
  if (size === undefined || pixels === 'none' || pixels === undefined) {
    const known = [...(pixels === 'none' ? [] : ['pixels as "1024x1024"']), ...ratios];
    return problem('aspectRatio', `${name} takes ${known.join(', ')}`);
  }
  return pixelProblems(size, pixels).flatMap((message) => problem('aspectRatio', message));
}

function videoProblems(task: Fields): readonly Problem[] {
  const { resolution, duration, images, audios, aspectRatio } = task;
  const limit = resolution === '1080p' ? VIDEO_MODEL.maxSecondsAt1080p : VIDEO_MODEL.maxSeconds;
  const whole = typeof duration === 'number' && Number.isInteger(duration) && duration >= 1 && duration <= limit;
  return [
    ...oneOf('aspectRatio', aspectRatio, VIDEO_MODEL.ratios),
    ...oneOf('resolution', resolution, VIDEO_MODEL.resolutions),
    ...(duration === undefined || whole ? NONE : problem('duration', `must be a whole number of seconds, 1 to ${limit}`)),
    ...atMost('images', images, VIDEO_MODEL.maxImages),
    ...atMost('audios', audios, VIDEO_MODEL.maxAudios),
  ];
}

const atMost = (field: string, list: unknown, limit: number): readonly Problem[] =>
  Array.isArray(list) && list.length > limit ? problem(field, `at most ${limit}`) : NONE;
