import { readFile } from 'node:fs/promises';
import { addAbortSignal } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { usage } from './exit.ts';
import type { Host } from './host.ts';

/** The flags of `submit` that make, or change, the body of `POST /v1/jobs`. */
export interface RequestOptions {
  chat?: string;
  image?: string;
  model?: string;
  fallbackModels?: string[];
  system?: string;
  inputImage?: string[];
  aspectRatio?: string;
  imageSize?: string;
  quality?: string;
  via?: string;
  resubmitFailed?: string;
  webhookUrl?: string;
  webhookEvents?: string[];
  metadata?: Record<string, string>;
  priority?: string;
  expiresIn?: number;
  maxAttempts?: number;
  onUnknownSubmit?: string;
}

type Json = Record<string, unknown>;

/** Flags that say something about the input; a JSON request says all of that itself. */
const INPUT_FLAGS = [
  'chat',
  'image',
  'model',
  'system',
  'inputImage',
  'aspectRatio',
  'imageSize',
  'quality',
  'via',
  'resubmitFailed',
] as const;
const CHAT_ONLY = ['system'] as const;
const IMAGE_ONLY = ['aspectRatio', 'imageSize', 'quality', 'via', 'resubmitFailed'] as const;

const flagOf = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

function refuse(o: RequestOptions, names: readonly (keyof RequestOptions)[], because: string): void {
  const given = names.filter((name) => o[name] !== undefined);
  if (given.length > 0) throw usage(`${given.map(flagOf).join(', ')} ${because}`);
}

/** The body to send: from a file of JSON (`-` is stdin), or from flags alone. Flags for the job go over what the file says. */
export async function buildRequest(host: Host, file: string | undefined, o: RequestOptions): Promise<Json> {
  if (o.webhookUrl === undefined) refuse(o, ['webhookEvents'], 'needs --webhook-url');
  if (file !== undefined) {
    refuse(o, INPUT_FLAGS, 'cannot be given together with a file');
    return merge(parseRequest(await readText(host, file), file), common(o));
  }
  if ((o.chat === undefined) === (o.image === undefined))
    throw usage('Give either --chat <text>, --image <prompt>, or a file with a JSON request');
  if (o.model === undefined) throw usage('--model is missing: no model is taken unasked, as models differ in price');
  return merge(o.chat === undefined ? await imageJob(host, o) : await chatJob(host, o), common(o));
}

async function chatJob(host: Host, o: RequestOptions): Promise<Json> {
  refuse(o, IMAGE_ONLY, 'is for --image');
  const prompt = await promptText(host, o.chat ?? '');
  const pictures = await Promise.all((o.inputImage ?? []).map(async (name) => await picture(name)));
  const content =
    pictures.length === 0
      ? prompt
      : [{ type: 'text', text: prompt }, ...pictures.map((url) => ({ type: 'image_url', image_url: { url } }))];
  const system = o.system === undefined ? [] : [{ role: 'system', content: o.system }];
  return { type: 'chat', input: { model: o.model, messages: [...system, { role: 'user', content }] } };
}

async function imageJob(host: Host, o: RequestOptions): Promise<Json> {
  refuse(o, CHAT_ONLY, 'is for --chat');
  const images = await Promise.all((o.inputImage ?? []).map(async (name) => await picture(name)));
  return {
    type: 'image',
    input: known({
      model: o.model,
      prompt: await promptText(host, o.image ?? ''),
      images: images.length === 0 ? undefined : images,
      aspect_ratio: o.aspectRatio,
      image_size: o.imageSize,
      quality: o.quality,
    }),
    ...known({ via: o.via, resubmit_failed: o.resubmitFailed }),
  };
}

const common = (o: RequestOptions): Json =>
  known({
    webhook: o.webhookUrl === undefined ? undefined : known({ url: o.webhookUrl, events: o.webhookEvents }),
    metadata: o.metadata,
    priority: o.priority,
    expires_in_s: o.expiresIn,
    max_attempts: o.maxAttempts,
    on_unknown_submit: o.onUnknownSubmit,
    fallback_models: o.fallbackModels,
  });

const known = (fields: Json): Json => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

function merge(request: Json, flags: Json): Json {
  const metadata = { ...(request['metadata'] as Json | undefined), ...(flags['metadata'] as Json | undefined) };
  return { ...request, ...flags, ...(Object.keys(metadata).length === 0 ? {} : { metadata }) };
}

function parseRequest(content: string, file: string): Json {
  try {
    const value: unknown = JSON.parse(content);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  } catch (error) {
    throw usage(`${nameOf(file)} is not valid JSON: ${(error as Error).message}`);
  }
  throw usage(`${nameOf(file)} must hold one JSON object`);
}

const nameOf = (file: string): string => (file === '-' ? 'stdin' : file);

/** Ctrl-C ends the reading. */
const stdinText = async (host: Host): Promise<string> => textOf(await buffer(addAbortSignal(host.interrupt, host.stdin)));

const promptText = async (host: Host, given: string): Promise<string> => (given === '-' ? await stdinText(host) : given);

const readText = async (host: Host, file: string): Promise<string> =>
  file === '-' ? await stdinText(host) : textOf(await readInput(file));

/** Editors and shells of Windows begin a file with a byte order mark, and write UTF-16. */
const textOf = (bytes: Buffer): string => {
  const marked = UTF_16.find(([, mark]) => bytes.subarray(0, 2).equals(mark));
  return new TextDecoder(marked?.[0] ?? 'utf-8').decode(bytes);
};

const UTF_16: readonly (readonly [string, Buffer])[] = [
  ['utf-16le', Buffer.from([0xff, 0xfe])],
  ['utf-16be', Buffer.from([0xfe, 0xff])],
];

async function readInput(file: string): Promise<Buffer> {
  return await readFile(file).catch((error: Error) => {
    throw usage(`${file} cannot be read: ${error.message}`);
  });
}

const PICTURES: readonly (readonly [string, RegExp])[] = [
  ['image/png', /^89504e47/],
  ['image/jpeg', /^ffd8ff/],
  ['image/webp', /^52494646.{8}57454250/],
  ['image/gif', /^47494638/],
];

/** A URL as it is; a file as a data URL, its type known by its first bytes. */
async function picture(name: string): Promise<string> {
  if (/^(https?:\/\/|data:)/i.test(name)) return name;
  const data = await readInput(name);
  const head = data.subarray(0, 12).toString('hex');
  const type = PICTURES.find(([, start]) => start.test(head))?.[0];
  if (type === undefined) throw usage(`${name} is not a PNG, JPEG, WebP or GIF image`);
  return `data:${type};base64,${data.toString('base64')}`;
}
