import type { JobDoc } from '@grsai-jobs/jobs';

type Image = Extract<JobDoc, { type: 'image' }>;
type Chat = Extract<JobDoc, { type: 'chat' }>;

/** Leaves out what the caller left out; upstream gets no nulls. */
const given = <T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };

/** A record does not hold a large input; what it has in its place never goes out. */
function inputOf<D extends JobDoc>(doc: D): D['input'] {
  if (doc.stored_input !== undefined) throw new Error('the input of the job was not read');
  return doc.input;
}

/** The body of an image task: upstream's camelCase (upstream.md §3.1; snake_case would be ignored in silence). */
export function imageTask(doc: JobDoc) {
  const input = inputOf(doc as Image);
  return given({
    model: input.model,
    prompt: input.prompt,
    images: input.images,
    aspectRatio: input.aspect_ratio,
    imageSize: input.image_size,
    quality: input.quality,
    background: input.background,
    mask: input.mask,
  });
}

/** The body of `/v1/images/generations`, which knows fewer fields (upstream.md §6.2). */
export function generationsBody(doc: JobDoc) {
  const input = inputOf(doc as Image);
  return given({ model: input.model, prompt: input.prompt, image: input.images, size: input.aspect_ratio });
}

/** The body of a chat call; the client says itself whether it streams (upstream.md §6.1). */
export function chatBody(doc: JobDoc) {
  const { stream: _stream, ...body } = inputOf(doc as Chat);
  return given(body);
}
