import type { Cursor, JobFilter } from '@grsai-jobs/job-store';
import { FAILURE_CODES, LIMITS, SIGNATURE, STAGES, STATUSES, TENANT } from '@grsai-jobs/jobs';
import { z } from 'zod';
import { time } from '../validation/fields.ts';
import type { FieldError } from '../validation/validate.ts';
import { Problem } from './problem.ts';
import { invalid, validate } from './validate.ts';

const CURSOR = /^(\d{1,15})\.([a-z]+_\w{1,64}(?:\.\w{1,16})?)$/;

/** A cursor as callers carry it: its content is ours alone. */
export const writeCursor = (cursor: Cursor | null): string | null =>
  cursor === null ? null : Buffer.from(`${cursor.at}.${cursor.id}`).toString('base64url');

/** @throws Problem 400 for a text that {@link writeCursor} did not make. */
export function readCursor(text: string): Cursor {
  const [, at, id] = CURSOR.exec(Buffer.from(text, 'base64url').toString('latin1')) ?? [];
  const cursor = at === undefined || id === undefined ? null : { at: Number(at), id };
  if (cursor === null || writeCursor(cursor) !== text)
    throw new Problem('bad_request', 'The cursor is not valid; take it from next_cursor of the page before, as it is.');
  return cursor;
}

/** One or more of these words, separated by commas. */
export const oneOf = <T extends string>(known: readonly T[]) =>
  z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(known as readonly [T, ...T[]], { error: `must be one or more of ${known.join(', ')}` })));

const wholeNumber = z
  .string()
  .regex(/^\d{1,6}$/, `must be a number from ${LIMITS.page.min} to ${LIMITS.page.max}`)
  .transform(Number)
  .pipe(z.number().min(LIMITS.page.min).max(LIMITS.page.max));

/** What each list takes. */
export const PageQuery = {
  limit: wholeNumber
    .default(LIMITS.page.default)
    .meta({ param: { example: '10' } })
    .describe('1 to 100; 20 when it is left out'),
  cursor: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .meta({ param: { example: 'MTc5NTQyMDgwMDAwMC5qb2JfMDFLOVpWNVczTjhRMlI0VDZWOFgwWjJCNEQ' } })
    .describe('next_cursor of the page before'),
};

/** Which jobs, by what they are. */
export const KindQuery = {
  type: z
    .enum(['chat', 'image'])
    .optional()
    .meta({ param: { example: 'image' } }),
  model: z
    .string()
    .min(1)
    .max(LIMITS.model)
    .optional()
    .meta({ param: { example: 'nano-banana-2' } }),
};

/** The query of `GET /v1/jobs`, beside `metadata.<key>`. */
export const ListQuery = z.strictObject({
  status: oneOf(STATUSES)
    .optional()
    .meta({ param: { example: 'succeeded,failed' } })
    .describe('one or more, separated by commas'),
  stage: oneOf(STAGES)
    .optional()
    .meta({ param: { example: 'storing' } })
    .describe('where a running or canceling job is; one or more, separated by commas'),
  ...KindQuery,
  batch_id: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .meta({ param: { example: 'batch_01K9ZV5W3N8Q2R4T6V8X0Z2B4D' } }),
  error_code: oneOf(FAILURE_CODES)
    .optional()
    .meta({ param: { example: 'content_rejected' } })
    .describe('one or more, separated by commas'),
  created_after: time.optional().meta({ param: { example: '2026-11-01T00:00:00Z' } }),
  created_before: time.optional().meta({ param: { example: '2026-12-01T00:00:00+01:00' } }),
  ...PageQuery,
});

export const TenantParameter = z
  .string()
  .regex(TENANT, 'must be 1 to 32 of a-z 0-9 -')
  .optional()
  .meta({ param: { example: 'acme' } });

/** The id of a group of failures. */
export const SignatureParameter = z
  .string()
  .regex(SIGNATURE, 'must be the id of a group of failures')
  .optional()
  .meta({ param: { example: 'sig_5f0c2b7d9a1e3344' } });

/** The query of `GET /admin/v1/jobs`: the same over all tenants. */
export const AdminListQuery = ListQuery.extend({
  tenant: TenantParameter,
  signature: SignatureParameter.describe('failed with this signature, by the time of the failure'),
});

/** What the name of a metadata parameter starts with. */
export const METADATA = 'metadata.';

/**
 * The parameters of a query by name and value.
 * @throws Problem when one comes twice: it would be half ignored.
 */
export function single(query: Readonly<Record<string, unknown>>): [string, string][] {
  const given = Object.entries(query).map(([name, value]): [string, string | null] => [
    name,
    typeof value === 'string' ? value : null,
  ]);
  const twice = given.filter(([, value]) => value === null);
  if (twice.length > 0)
    throw invalid(twice.map(([name]): FieldError => ({ pointer: `/${name}`, message: 'is given more than once' })));
  return given.flatMap(([name, value]) => (value === null ? [] : [[name, value]]));
}

function metadataOf(pairs: readonly [string, string][]): Record<string, string> {
  if (pairs.length > LIMITS.metadataPairs) throw new Problem('bad_request', `At most ${LIMITS.metadataPairs} metadata filters.`);
  const wrong = pairs.filter(([key]) => key === '' || key.length > LIMITS.metadataKey);
  if (wrong.length > 0)
    throw invalid(
      wrong.map(([key]) => ({
        pointer: `/${METADATA}${key}`,
        message: `a metadata key has 1 to ${LIMITS.metadataKey} characters`,
      })),
    );
  return Object.fromEntries(pairs);
}

/** What both lists of jobs ask for. */
export interface ListAsked {
  filter: JobFilter;
  after: Cursor | null;
  limit: number;
}

/** @throws Problem with a pointer (`/name`) for each wrong parameter of the query. */
export const listQuery = (query: Readonly<Record<string, unknown>>): ListAsked => {
  const { pairs, rest } = withoutMetadata(query);
  return askedFor(validate(ListQuery, rest), metadataOf(pairs));
};

/** The same for all tenants: `tenant` is `null` when the query names none. */
export function adminListQuery(query: Readonly<Record<string, unknown>>): ListAsked & { tenant: string | null } {
  const { pairs, rest } = withoutMetadata(query);
  const known = validate(AdminListQuery, rest);
  const { filter, ...page } = askedFor(known, metadataOf(pairs));
  const signature = known.signature === undefined ? {} : { signature: known.signature };
  return { ...page, filter: { ...filter, ...signature }, tenant: known.tenant ?? null };
}

function withoutMetadata(query: Readonly<Record<string, unknown>>) {
  const given = single(query);
  const pairs = given.filter(([name]) => name.startsWith(METADATA));
  return {
    pairs: pairs.map(([name, value]): [string, string] => [name.slice(METADATA.length), value]),
    rest: Object.fromEntries(given.filter(([name]) => !name.startsWith(METADATA))),
  };
}

const askedFor = (known: z.output<typeof ListQuery>, metadata: Record<string, string>): ListAsked => ({
  filter: {
    ...(known.status ? { status: known.status } : {}),
    ...(known.stage ? { stage: known.stage } : {}),
    ...(known.type ? { type: known.type } : {}),
    ...(known.model ? { model: known.model } : {}),
    ...(known.batch_id ? { batchId: known.batch_id } : {}),
    ...(known.error_code ? { errorCode: known.error_code } : {}),
    ...(known.created_after ? { createdAfter: Date.parse(known.created_after) } : {}),
    ...(known.created_before ? { createdBefore: Date.parse(known.created_before) } : {}),
    metadata,
  },
  after: known.cursor === undefined ? null : readCursor(known.cursor),
  limit: known.limit,
});
