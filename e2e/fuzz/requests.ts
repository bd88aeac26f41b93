import fc from 'fast-check';
import { exampleOf, examplesOf, type Located, operations, type Parameter } from '../openapi/document.ts';
import { type Body, operation, takenBodies } from './bodies.ts';
import type { Schema } from './schema-arbitrary.ts';

/** One request to be sent. Parameters in its path are filled in with what is known by then. */
export interface Sent extends Body {
  located: Located;
  /** What was done to a request that fits the document; `null`: nothing, so it has to be taken. */
  change: string | null;
  method: string;
  path: string;
  query: readonly (readonly [name: string, value: string])[];
  /** Which of the ids that are known by then stands in the path. */
  pick: number;
}

/** After it every job waits for a decision, whatever else is sent. */
const HOLDS_ALL = 'restored';

/** A cursor of one list is none of another, and a key is given by whoever sends. */
const LEFT_OUT = new Set(['cursor', 'Idempotency-Key', 'webhook_events']);

/** Values of a parameter: by its schema where that says all, else what the document shows. */
function valuesOf(parameter: Parameter): fc.Arbitrary<string> {
  const schema = (parameter.schema ?? {}) as Schema;
  if (parameter.name === 'limit') return fc.integer({ min: 1, max: 100 }).map(String);
  if (parameter.name === 'Prefer') return fc.constantFrom('wait=0', 'respond-async', 'wait=1, handling=lenient');
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum.map(String));
  return fc.constant(String(exampleOf(parameter)));
}

const parametersOf = (located: Located, place: 'query' | 'header'): fc.Arbitrary<[string, string][]> =>
  fc
    .tuple(
      ...(located.operation.parameters ?? [])
        .filter((each) => each.in === place && !LEFT_OUT.has(each.name))
        .map((each) => {
          const value = valuesOf(each).map((text): [string, string] => [each.name, text]);
          return each.required === true ? value : fc.option(value, { freq: 2 });
        }),
    )
    .map((found) => found.filter((each) => each !== null));

function requestTo(located: Located, bodies: fc.Arbitrary<Body>): fc.Arbitrary<Sent> {
  // Only lines take the query of POST /v1/batches; the JSON form says the same in its body.
  return fc
    .record({ body: bodies, query: parametersOf(located, 'query'), headers: parametersOf(located, 'header'), pick: fc.nat() })
    .map(({ body, query, headers, pick }) => ({
      ...body,
      located,
      change: null,
      method: located.method,
      path: located.path,
      query: body.json !== undefined && located.operation.operationId === 'createBatch' ? [] : query,
      headers: { ...Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])), ...body.headers },
      pick,
    }));
}

/** Requests with bodies that have to be taken. */
export const takenRequests = (receiver: string): fc.Arbitrary<Sent> =>
  fc.oneof(...takenBodies(receiver).map(({ id, weight, bodies }) => ({ weight, arbitrary: requestTo(operation(id), bodies) })));

/** What the document shows of a body, or none. */
function shownBodies({ operation: { requestBody } }: Located): fc.Arbitrary<Body> {
  const shown = Object.entries(requestBody?.content ?? {}).flatMap(([type, media]) =>
    examplesOf(media).map(([, value]): Body => {
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      return { headers: { 'content-type': type }, text, ...(typeof value === 'string' ? {} : { json: value }) };
    }),
  );
  return fc.constantFrom(...(shown.length === 0 ? [{ headers: {} }] : shown));
}

/** Requests of every operation; what those without a body change stands in no other's way. */
export const shownRequests: fc.Arbitrary<Sent> = fc.oneof(
  ...operations
    .filter(({ operation: { operationId } }) => operationId !== HOLDS_ALL)
    .map((located) => requestTo(located, shownBodies(located))),
);

/** Requests that read, and have to be answered with what the document says. */
export const readingRequests: fc.Arbitrary<Sent> = fc.oneof(
  ...operations.filter(({ method }) => method === 'GET').map((located) => requestTo(located, fc.constant({ headers: {} }))),
);
