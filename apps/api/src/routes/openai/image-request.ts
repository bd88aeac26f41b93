import { JobRequest, withoutNulls } from '@grsai-jobs/jobs';
import type { Slices } from '@grsai-jobs/runtime';
import type { Form, FormFile } from '../../http/multipart.ts';
import { invalid } from '../../http/validate.ts';
import { tryJob } from '../../validation/job.ts';
import type { FieldError } from '../../validation/validate.ts';
import { type FieldTable, ignore, isOneOf, readFields, refuse, route, take } from './fields.ts';
import { jobFields } from './grsai-field.ts';
import { readSize } from './image-size.ts';

/** As many images as one request may ask for. */
const MOST = 10;

/** What becomes of each field of an image request; docs/openai.md has the same table. */
const IMAGE_FIELDS: FieldTable = {
  model: take(),
  prompt: take(),
  n: route,
  size: route,
  quality: route,
  background: route,
  response_format: route,
  metadata: route,
  grsai: route,
  user: ignore,
  moderation: ignore,
  style: refuse('is not supported', isOneOf('vivid')),
  output_format: refuse('is not supported: the upstream chooses the format', isOneOf('png')),
  output_compression: refuse('is not supported: the upstream chooses the format', isOneOf(100)),
  input_fidelity: refuse('is not supported', isOneOf('low')),
  stream: refuse('is not supported for images', isOneOf(false)),
  partial_images: refuse('is not supported', isOneOf(0)),
};

/** How an image is answered. */
export type ImageFormat = 'b64_json' | 'url';

/** An image request as the jobs that it becomes. */
export interface ImageOrder {
  request: JobRequest;
  n: number;
  format: ImageFormat;
  ignored: readonly string[];
  /** A request that is sent again gets the answer of the earlier one. */
  attach: boolean;
}

type Body = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Body => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Clients of OpenAI ask for no format of these models, and read base64. */
const IN_BASE64 = /^(?:gpt-image-|chatgpt-image-)/;

const problem = (pointer: string, message: string): FieldError => ({ pointer, message });

function readN({ n = 1 }: Body): { n: number } | FieldError {
  const fits = typeof n === 'number' && Number.isInteger(n) && n >= 1 && n <= MOST;
  return fits ? { n } : problem('/n', `must be a whole number from 1 to ${MOST}`);
}

function readFormat({ response_format: asked, model }: Body, isEdit: boolean): { format: ImageFormat } | FieldError {
  // `ai` reads base64 of every edit, and asks for no format.
  if (asked === undefined) return { format: isEdit || IN_BASE64.test(String(model)) ? 'b64_json' : 'url' };
  return asked === 'b64_json' || asked === 'url' ? { format: asked } : problem('/response_format', 'must be b64_json or url');
}

function readSizeOf({ size, model }: Body): { fields: Record<string, unknown> } | FieldError {
  if (size === undefined || typeof model !== 'string') return { fields: {} };
  const read = typeof size === 'string' ? readSize(size, model) : { problem: 'must be a text as "1024x1024"' };
  return 'problem' in read ? problem('/size', read.problem) : read;
}

/** Values that say no more than the default are taken as not set. */
const unless = (name: string, value: unknown, defaults: readonly unknown[]): Record<string, unknown> =>
  value === undefined || defaults.includes(value) ? {} : { [name]: value };

const isError = (value: object): value is FieldError => 'pointer' in value;

/** A field of the job by the name that its sender knows. */
export const asSent = ({ pointer, ...error }: FieldError): FieldError => {
  const [, first, field, ...inside] = pointer.split('/');
  if (first !== 'input') return { ...error, pointer: first === 'metadata' ? pointer : `/grsai${pointer}` };
  if (field === 'aspect_ratio' || field === 'image_size') return { ...error, pointer: '/size' };
  return { ...error, pointer: field === undefined ? '' : ['', field === 'images' ? 'image' : field, ...inside].join('/') };
};

/**
 * Reads an image request.
 * @param pictures of an edit
 * @throws Problem `invalid_request` with the fields by their names here
 */
export async function readImageRequest(
  sent: unknown,
  slices: Slices,
  pictures: { images?: string[]; mask?: string } = {},
): Promise<ImageOrder> {
  const body = withoutNulls(sent);
  if (!isObject(body)) throw invalid([problem('', 'must be an object')]);
  const { input, ignored, errors } = readFields(body, IMAGE_FIELDS);
  const job = jobFields(body);
  const [n, format, size] = [readN(body), readFormat(body, pictures.images !== undefined), readSizeOf(body)];
  const found = [...errors, ...job.errors, ...[n, format, size].filter(isError)];
  if (isError(n) || isError(format) || isError(size) || found.length > 0) throw invalid(found);
  const whole = {
    ...input,
    ...size.fields,
    ...pictures,
    ...unless('quality', body['quality'], ['standard', 'auto']),
    ...unless('background', body['background'], ['auto', 'opaque']),
  };
  const read = await tryJob(JobRequest, { ...job.fields, type: 'image', input: whole }, slices);
  if ('errors' in read) throw invalid(read.errors.map(asSent));
  return { request: read.data, ...n, ...format, ignored, attach: job.attach };
}

/** Fields of a form that are no texts. */
const KINDS: Readonly<Record<string, 'number' | 'boolean' | 'json'>> = {
  n: 'number',
  output_compression: 'number',
  partial_images: 'number',
  stream: 'boolean',
  metadata: 'json',
  grsai: 'json',
};

function fieldValue(name: string, text: string): unknown {
  const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
  if (kind === 'number') return /^\d{1,9}$/.test(text) ? Number(text) : text;
  if (kind === 'boolean') return text === 'true' || (text === 'false' ? false : text);
  if (kind !== 'json') return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** A picture whose type its bytes say: what the sender calls it is often wrong. */
const pictureOf = ({ bytes }: FormFile): string => `data:;base64,${bytes.toString('base64')}`;

/** `image`, or `image[]` where there are several. */
const IMAGE = /^image(?:\[\d*\])?$/;

/** The form of an edit: its fields as a body, and its pictures. */
export function readEditForm({ fields, files }: Form): {
  body: Record<string, unknown>;
  pictures: { images: string[]; mask?: string };
} {
  const wrong: FieldError[] = [];
  const body: Record<string, unknown> = {};
  for (const [name, text] of fields) {
    if (Object.hasOwn(body, name)) wrong.push(problem(`/${name}`, 'stands twice in the form'));
    if (IMAGE.test(name) || name === 'mask') wrong.push(problem(`/${name}`, 'must be a file'));
    else Object.defineProperty(body, name, { value: fieldValue(name, text), enumerable: true, configurable: true });
  }
  const images = files.filter(({ name }) => IMAGE.test(name));
  const masks = files.filter(({ name }) => name === 'mask');
  for (const { name } of files) if (!IMAGE.test(name) && name !== 'mask') wrong.push(problem(`/${name}`, 'unknown file'));
  if (images.length === 0) wrong.push(problem('/image', 'is required and must be a file'));
  if (masks.length > 1) wrong.push(problem('/mask', 'must be one file'));
  for (const { name, bytes } of files) if (bytes.length === 0) wrong.push(problem(`/${name}`, 'is an empty file'));
  if (wrong.length > 0) throw invalid(wrong);
  const [mask] = masks;
  return { body, pictures: { images: images.map(pictureOf), ...(mask === undefined ? {} : { mask: pictureOf(mask) }) } };
}

/** What makes a form the same form: fields, and the hashes of its files. */
export const formPrint = ({ fields, files }: Form): unknown => ({
  fields,
  files: files.map(({ name, sha256 }) => [name, sha256]),
});
