import fc from 'fast-check';
import { resolved } from '../openapi/document.ts';

/** What these schemas use of JSON Schema. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  oneOf?: Schema[];
  anyOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  propertyNames?: Schema;
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  format?: string;
  minimum?: number;
  maximum?: number;
}

/** What a schema cannot say, by the way to it from the body, such as `/webhook/url`; `undefined` leaves it to the schema. */
export type Known = (path: string, schema: Schema) => fc.Arbitrary<unknown> | undefined;

/** Most texts are short; a few of those that may be long are. */
const SHORT = 40;
const LONG = 3000;
const ITEMS = 4;

/** Values that fit a schema; of open lists and maps only small ones, so that thousands of them stay quick. */
export function fitting(schema: Schema, known: Known, path = ''): fc.Arbitrary<unknown> {
  const found = known(path, schema);
  if (found !== undefined) return found;
  if (schema.$ref !== undefined) return fitting(resolved(schema.$ref) as Schema, known, path);
  if ('const' in schema) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const either = schema.oneOf ?? schema.anyOf;
  if (either !== undefined) return fc.oneof(...either.map((each) => fitting(each, known, path)));
  if (Array.isArray(schema.type)) return fc.oneof(...schema.type.map((type) => fitting({ ...schema, type }, known, path)));
  const make = KINDS[schema.type ?? 'any'];
  if (make === undefined) throw new Error(`${path}: no values for the type ${schema.type}`);
  return make(schema, known, path);
}

const KINDS: Readonly<Record<string, (schema: Schema, known: Known, path: string) => fc.Arbitrary<unknown>>> = {
  any: () => fc.jsonValue({ maxDepth: 1 }),
  null: () => fc.constant(null),
  boolean: () => fc.boolean(),
  integer: ({ minimum = -1_000_000, maximum = 1_000_000 }) => fc.integer({ min: minimum, max: maximum }),
  number: ({ minimum = -1e9, maximum = 1e9 }) => fc.double({ min: minimum, max: maximum, noNaN: true, noDefaultInfinity: true }),
  string: texts,
  array: ({ items = {}, minItems = 0, maxItems = ITEMS, uniqueItems = false }, known, path) =>
    (uniqueItems ? fc.uniqueArray<unknown, unknown> : fc.array<unknown>)(fitting(items, known, `${path}/*`), {
      minLength: minItems,
      maxLength: Math.max(minItems, Math.min(maxItems, ITEMS)),
    }),
  object: objects,
};

function texts({ minLength = 0, maxLength = SHORT, pattern, format }: Schema): fc.Arbitrary<string> {
  if (format === 'date-time')
    return fc
      .date({ min: new Date('2020-01-01T00:00:00Z'), max: new Date('2030-01-01T00:00:00Z'), noInvalidDate: true })
      .map((date) => date.toISOString());
  if (pattern !== undefined) {
    const fits = (text: string) => text.length >= minLength && text.length <= maxLength;
    return fc.stringMatching(new RegExp(pattern), { size: 'small' }).filter(fits);
  }
  const upTo = (most: number) =>
    fc.string({ unit: 'grapheme', minLength, maxLength: Math.min(maxLength, most) }).filter((text) => text.length <= maxLength);
  return maxLength <= SHORT
    ? upTo(SHORT)
    : fc.oneof({ arbitrary: upTo(SHORT), weight: 30 }, { arbitrary: upTo(LONG), weight: 1 });
}

function objects(schema: Schema, known: Known, path: string): fc.Arbitrary<unknown> {
  const { properties = {}, required = [], additionalProperties, propertyNames } = schema;
  const named = Object.fromEntries(
    Object.entries(properties).map(([name, each]) => [name, fitting(each, known, `${path}/${name}`)]),
  );
  const fields = fc.record(named, { requiredKeys: required.filter((name) => name in named), noNullPrototype: true });
  if (Object.keys(named).length > 0 || typeof additionalProperties !== 'object') return fields;
  const names = fitting({ ...propertyNames, type: 'string' }, known, `${path}/:name`) as fc.Arbitrary<string>;
  const usable = names.filter((name) => name !== '__proto__');
  return fc.dictionary(usable, fitting(additionalProperties, known, `${path}/*`), { maxKeys: ITEMS, noNullPrototype: true });
}
