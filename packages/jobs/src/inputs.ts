import type { JobDoc, KeptChatInput, KeptImageInput, KeptPart } from './doc.ts';
import { isInputObject, type Picture } from './pictures.ts';

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

/** Keys of the pictures of a job that stand in the object store, to be erased with it. */
export function inputObjects(job: { doc: Pick<JobDoc, 'type' | 'input'> }): string[] {
  const keys: string[] = [];
  mapPictures(job.doc, (picture) => {
    if (isInputObject(picture)) keys.push(picture.$object);
    return picture;
  });
  return keys;
}

const described = (_name: string, value: unknown): unknown =>
  isInputObject(value) ? { content_type: value.content_type, bytes: value.bytes } : value;

/** The input as callers see it: a picture in the object store by its type and size. */
export const viewInput = (doc: JobDoc): JobDoc['input'] | Record<string, unknown> =>
  inputObjects({ doc }).length === 0 ? doc.input : (JSON.parse(JSON.stringify(doc.input, described)) as Record<string, unknown>);
