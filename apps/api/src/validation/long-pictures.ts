import { isInline, readPictureInPieces } from '@grsai-jobs/jobs';
import type { Slices } from '@grsai-jobs/runtime';
import type { FieldError } from './validate.ts';

type Fields = Record<string, unknown>;

/** A longer picture takes so long to read that others have a turn meanwhile. */
const LONG = 64 * 1024;
/** Stands where a picture was that has been read already. */
const SOME_PICTURE = 'data:image/png;base64,AAAA';

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);
const isLong = (value: unknown): value is string => typeof value === 'string' && value.length > LONG;

/** The long pictures of an input, by their pointers, and the input without them. */
export interface LongPictures {
  /** The very input that was given where it has none. */
  light: Fields;
  read: ReadonlyMap<string, string>;
  faults: FieldError[];
}

/** Reads the long pictures of an input that nobody has checked yet, wherever a picture may stand in one. */
export async function readLongPictures(input: Fields, slices: Slices): Promise<LongPictures> {
  const read = new Map<string, string>();
  const faults: FieldError[] = [];

  async function take(value: unknown, pointer: string): Promise<unknown> {
    if (!isLong(value)) return value;
    const pieces = readPictureInPieces(value);
    let step = pieces.next();
    for (; step.done !== true; step = pieces.next()) if (slices.over()) await slices.next();
    if ('problem' in step.value) faults.push({ pointer, message: step.value.problem });
    // What the schema says of a long address is said there.
    else if (!isInline(step.value.picture)) return value;
    else read.set(pointer, step.value.picture);
    return SOME_PICTURE;
  }

  async function takeAll(list: readonly unknown[], pointer: string): Promise<unknown[]> {
    const light: unknown[] = [];
    for (const [i, each] of list.entries()) light.push(await take(each, `${pointer}/${i}`));
    return light;
  }

  async function takeFromParts(parts: readonly unknown[], pointer: string): Promise<unknown[]> {
    const light: unknown[] = [];
    for (const [i, part] of parts.entries()) {
      const image = urlOf(part);
      if (!isObject(part) || image === null || !isLong(image['url'])) light.push(part);
      else light.push({ ...part, image_url: { ...image, url: await take(image['url'], `${pointer}/${i}/image_url/url`) } });
    }
    return light;
  }

  const light = { ...input };
  const { images, mask, messages } = input;
  if (Array.isArray(images) && images.some(isLong)) light['images'] = await takeAll(images, '/input/images');
  if (isLong(mask)) light['mask'] = await take(mask, '/input/mask');
  if (Array.isArray(messages)) {
    const all: unknown[] = [];
    for (const [i, message] of messages.entries()) {
      const parts = isObject(message) ? message['content'] : null;
      if (!Array.isArray(parts) || !parts.some((part) => isLong(urlOf(part)?.['url']))) all.push(message);
      else all.push({ ...message, content: await takeFromParts(parts, `/input/messages/${i}/content`) });
    }
    light['messages'] = all;
  }
  return { light: read.size + faults.length > 0 ? light : input, read, faults };
}

const urlOf = (part: unknown): Fields | null => (isObject(part) && isObject(part['image_url']) ? part['image_url'] : null);
