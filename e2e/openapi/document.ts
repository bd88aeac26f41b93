import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';

/** The parts of an OpenAPI document that these tests look at. */
export interface MediaType {
  schema?: object;
  example?: unknown;
  examples?: Record<string, { value?: unknown; $ref?: string }>;
}
export interface Parameter {
  in: 'path' | 'query' | 'header';
  name: string;
  required?: boolean;
  schema?: { example?: unknown; examples?: unknown[] };
  example?: unknown;
}
export interface Answer {
  description: string;
  headers?: Record<string, { required?: boolean; $ref?: string }>;
  content?: Record<string, MediaType>;
}
interface Operation {
  operationId?: string;
  summary?: string;
  security?: object[];
  parameters?: Parameter[];
  requestBody?: { required?: boolean; content: Record<string, MediaType> };
  responses: Record<string, Answer>;
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
  webhooks: Record<string, Record<string, Operation>>;
}

const document = JSON.parse(readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8')) as Document;

/** The whole document, which is made from the code (a test of apps/api holds it so). */
export const openapi: Document = document;

/** Every operation with the way to it from the root, as the parts of a JSON pointer. */
export interface Located {
  name: string;
  path: string;
  method: string;
  at: readonly string[];
  operation: Operation;
}

const locate = (section: 'paths' | 'webhooks'): Located[] =>
  Object.entries(document[section]).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      path,
      method: method.toUpperCase(),
      at: [section, path, method],
      operation,
    })),
  );

export const operations: readonly Located[] = locate('paths');
export const hooks: readonly Located[] = locate('webhooks');

const pointer = (parts: readonly string[]): string =>
  parts.map((part) => `/${encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('');

/** Follows a reference into this document (`#/components/…`). */
export function resolved(reference: string): unknown {
  let value: unknown = document;
  for (const part of reference.slice(2).split('/')) value = (value as Record<string, unknown>)[part];
  return value;
}

export const isRequired = (header: { required?: boolean; $ref?: string }): boolean =>
  (header.$ref === undefined ? header : (resolved(header.$ref) as { required?: boolean })).required === true;

/** The examples of a body or an answer by name; none when it has none. */
export function examplesOf({ example, examples = {} }: MediaType): [name: string, value: unknown][] {
  const named = Object.entries(examples).map(([name, each]): [string, unknown] => [
    name,
    each.$ref === undefined ? each.value : (resolved(each.$ref) as { value: unknown }).value,
  ]);
  return example === undefined ? named : [['example', example], ...named];
}

export const exampleOf = ({ example, schema }: Parameter): unknown => example ?? schema?.example ?? schema?.examples?.[0];

// Formats stand in the schemas as patterns too.
const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
ajv.addSchema(document, 'openapi.json');

/** What is wrong with a value by the schema at this place of the document; empty when it fits. */
export function misfits(at: readonly string[], value: unknown): string[] {
  const validate = ajv.getSchema(`openapi.json#${pointer(at)}`);
  if (validate === undefined) return [`there is no schema at ${at.join(' ')}`];
  validate(value);
  return (validate.errors ?? []).map((error) => `${error.instancePath || '/'} ${error.message} ${JSON.stringify(error.params)}`);
}
