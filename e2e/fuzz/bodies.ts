import fc from 'fast-check';
import { type Located, operations, resolved } from '../openapi/document.ts';
import { fitting, type Known, type Schema } from './schema-arbitrary.ts';

/** What is sent of a body; `json` is the value behind `text`, for whoever changes it. */
export interface Body {
  headers: Record<string, string>;
  json?: unknown;
  text?: string | Buffer;
}

/** A transparent pixel. */
const PIXEL =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const PICTURE_URL = 'https://pictures.example/in.png';
const word = fc.stringMatching(/^[a-z][a-z0-9]{0,12}$/);
const customId = fc.stringMatching(/^[A-Za-z0-9_-]{12,24}$/);
const model = fc.oneof(
  fc.constantFrom('nano-banana-2', 'gemini-3.1-pro'),
  word.map((text) => `unknown/${text}`),
);

/** What the schemas leave to a check of its own, by the end of the way to it: addresses, pictures, what a model takes. */
const KNOWN: readonly (readonly [path: RegExp, values: (receiver: string) => fc.Arbitrary<unknown>])[] = [
  [/\/image_url\/url$|\/images\/\*$/, () => fc.constantFrom(PIXEL, PICTURE_URL, PIXEL.slice(PIXEL.indexOf(',') + 1))],
  [/\/input\/prompt$/, () => fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }).filter((text) => text.trim() !== '')],
  [/\/mask$/, () => fc.constant(PICTURE_URL)],
  [/\/url$/, (receiver) => word.map((text) => `${receiver}?${text}`)],
  [/\/model$/, () => model],
  [/\/aspect_ratio$/, () => fc.constantFrom('1:1', '4:3', '16:9')],
  [/\/image_size$/, () => fc.constantFrom('1K', '2K')],
  [/\/quality$/, () => fc.constantFrom('auto', 'high')],
  [/\/background$/, () => fc.constant('transparent')],
  [/^\/(name|reason)$/, () => word],
  [/^\/tenant$/, () => fc.constantFrom('fuzz-a', 'fuzz-b')],
  [/^\/expires_at$/, () => fc.constant('2099-01-01T00:00:00Z')],
];

interface Job extends Record<string, unknown> {
  input: Record<string, unknown>;
}

/** Fields that only some models, or one of the two ways to ask, have. */
const NOT_ALWAYS = new Set(['image_size', 'quality', 'background', 'mask']);

function consistent(job: Job): Job {
  const { input } = job;
  if (job['type'] !== 'image' || (String(input['model']).startsWith('unknown/') && job['via'] !== 'generations')) return job;
  return { ...job, input: Object.fromEntries(Object.entries(input).filter(([name]) => !NOT_ALWAYS.has(name))) };
}

export function operation(id: string): Located {
  const found = operations.find((each) => each.operation.operationId === id);
  if (found === undefined) throw new Error(`the document has no operation ${id}`);
  return found;
}

function schemaOf(id: string): Schema {
  const schema = (operation(id).operation.requestBody?.content['application/json']?.schema ?? {}) as Schema;
  return schema.$ref === undefined ? schema : (resolved(schema.$ref) as Schema);
}

/** Operations with bodies that fit the document and have to be taken, with how often they come. */
export function takenBodies(receiver: string): { id: string; weight: number; bodies: fc.Arbitrary<Body> }[] {
  const known: Known = (path) => KNOWN.find(([pattern]) => pattern.test(path))?.[1](receiver);
  const json = (values: fc.Arbitrary<unknown>): fc.Arbitrary<Body> =>
    values.map((value) => ({
      headers: { 'content-type': 'application/json' },
      json: value,
      text: JSON.stringify(value),
    }));
  const bySchema = (id: string) => json(fitting(schemaOf(id), known));
  const jobs = (fitting(schemaOf('createJob'), known) as fc.Arbitrary<Job>).map(consistent);
  const items = fc.uniqueArray(
    fc.tuple(jobs, customId).map(([job, custom_id]) => ({ custom_id, ...job })),
    { minLength: 1, maxLength: 4, selector: (item) => item.custom_id },
  );
  const { webhook = {}, metadata = {} } = schemaOf('createBatch').properties ?? {};
  const form = fc.record(
    { items, webhook: fitting(webhook, known, '/webhook'), metadata: fitting(metadata, known, '/metadata') },
    { requiredKeys: ['items'], noNullPrototype: true },
  );
  const lines = items.map((each) => ({
    headers: { 'content-type': 'application/x-ndjson' },
    text: each.map((item) => `${JSON.stringify(item)}\n`).join(''),
  }));
  return [
    { id: 'createJob', weight: 80, bodies: json(jobs) },
    { id: 'createBatch', weight: 5, bodies: json(form) },
    { id: 'createBatch', weight: 5, bodies: lines },
    { id: 'createKey', weight: 4, bodies: bySchema('createKey') },
    { id: 'rotateWebhookSecret', weight: 1, bodies: bySchema('rotateWebhookSecret') },
    { id: 'recoverWebhookEndpoint', weight: 1, bodies: bySchema('recoverWebhookEndpoint') },
  ];
}
