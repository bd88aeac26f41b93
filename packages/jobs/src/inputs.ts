import type { JobDoc, KeptChatInput, KeptImageInput, KeptPart } from './doc.ts';
import { jsonPieces } from './json-pieces.ts';
import { type InputObject, isInputObject, type Picture } from './pictures.ts';

/** Changes one picture; `pointer` is its place in the request (RFC 6901). */
type ChangePicture = (picture: Picture, pointer: string) => Picture;

/** The same job with each picture of its input changed. Pictures are asked for in the order of the request. */
export function mapPictures<D extends Pick<JobDoc, 'type' | 'input'>>(doc: D, change: ChangePicture): D {
  const input = 'messages' in doc.input ? ofChat(doc.input, change) : ofImage(doc.input, change);
  return { ...doc, input };
}

function ofImage(input: KeptImageInput, change: ChangePicture): KeptImageInput {
  return {
    ...input,
    ...(input.images ? { images: input.images.map((each, i) => change(each, `/input/images/${i}`)) } : {}),
    ...(input.mask === undefined ? {} : { mask: change(input.mask, '/input/mask') }),
  };
}

function ofChat(input: KeptChatInput, change: ChangePicture): KeptChatInput {
  const part = (each: KeptPart, pointer: string): KeptPart =>
    each.type === 'text'
      ? each
      : { ...each, image_url: { ...each.image_url, url: change(each.image_url.url, `${pointer}/image_url/url`) } };
  const messages = input.messages.map(({ content, ...rest }, m) => ({
    ...rest,
    content: typeof content === 'string' ? content : content.map((each, i) => part(each, `/input/messages/${m}/content/${i}`)),
  }));
  return { ...input, messages };
}

/** Looks at each picture of an input, in the order of {@link mapPictures}. Most requests have none, and nothing is made for them. */
export function eachPicture({ input }: Pick<JobDoc, 'input'>, look: (picture: Picture, pointer: string) => void): void {
  if ('messages' in input) {
    for (const [m, { content }] of input.messages.entries()) if (typeof content !== 'string') ofParts(content, m, look);
    return;
  }
  for (const [i, picture] of (input.images ?? []).entries()) look(picture, `/input/images/${i}`);
  if (input.mask !== undefined) look(input.mask, '/input/mask');
}

function ofParts(parts: readonly KeptPart[], message: number, look: (picture: Picture, pointer: string) => void): void {
  for (const [i, part] of parts.entries())
    if (part.type !== 'text') look(part.image_url.url, `/input/messages/${message}/content/${i}/image_url/url`);
}

/** The pictures of an input that stand in the object store, in their order. */
export function storedPictures(doc: Pick<JobDoc, 'input'>): InputObject[] {
  const found: InputObject[] = [];
  eachPicture(doc, (picture) => {
    if (isInputObject(picture)) found.push(picture);
  });
  return found;
}

type Stored = Pick<JobDoc, 'type' | 'input' | 'stored_input'>;

const storedParts = ({ stored_input: stored, ...doc }: Stored): { $object: string; bytes: number }[] =>
  stored ? [stored, ...stored.pictures] : storedPictures(doc);

/** Keys of what of a job's input stands in the object store, to be erased with it. */
export const inputObjects = (job: { doc: Stored }): string[] => storedParts(job.doc).map(({ $object }) => $object);

/** Bytes that the input of a job takes in the object store. */
export const inputObjectBytes = (doc: Stored): number => storedParts(doc).reduce((sum, { bytes }) => sum + bytes, 0);

/** What callers see of an object of an input. */
export const shown = (value: object): object =>
  isInputObject(value) ? { content_type: value.content_type, bytes: value.bytes } : value;

/** The input as callers see it: a picture in the object store by its type and size. */
export const viewInput = (doc: JobDoc): JobDoc['input'] | Record<string, unknown> =>
  storedPictures(doc).length === 0
    ? doc.input
    : (JSON.parse([...jsonPieces(doc.input, { replace: shown })].join('')) as Record<string, unknown>);
