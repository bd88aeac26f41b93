import { type ApiKeys, type KnownKey, SCOPES } from '@grsai-jobs/job-store';
import { type ApiKeyView, rfc3339, TENANT } from '@grsai-jobs/jobs';
import type { Clock } from '@grsai-jobs/runtime';
import { z } from 'zod';
import type { Audited } from '../../http/audited.ts';
import { FIRST_KEY, principalOf } from '../../http/auth.ts';
import { jsonBody, optionalJsonBody, SMALL_BODY } from '../../http/body.ts';
import { PageQuery, readCursor, single, TenantParameter, writeCursor } from '../../http/list-query.ts';
import { json, listOf, refusals } from '../../http/openapi/answers.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { invalid, validate, validateBody } from '../../http/validate.ts';
import { Reason } from '../../validation/fields.ts';
import { keyExample, page } from './examples.ts';
import { always, body, ofBody } from './operation.ts';

/** Keys of tenants and operators. A revoked one is refused by every process at once. */

/** Who did something is shown by this name, beside what was done: it must neither be taken for another nor change how the line looks. */
const KeyName = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .refine((name) => !/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u.test(name), 'must be plain text on one line')
  .refine((name) => name !== FIRST_KEY, 'is the name of the key that is set by configuration')
  .describe('what it is for, on one line of plain text; it stands in the audit log')
  .meta({ example: 'back end' });

/** The body of `POST /admin/v1/keys`. The name says what a key is for, so a reason may be left out here. */
const KeyRequest = z.strictObject({
  tenant: z.string().regex(TENANT, 'must be 1 to 32 of a-z 0-9 -').meta({ example: 'acme' }),
  name: KeyName,
  scopes: z
    .array(z.enum(SCOPES))
    .min(1)
    .max(SCOPES.length)
    .meta({ example: ['jobs:read', 'jobs:write'] }),
  expires_at: z.iso.datetime({ offset: true }).optional(),
  reason: Reason.optional(),
});

/** A key in the list: its text is not kept. */
const KeyView = z.object({
  id: z.string(),
  object: z.literal('api_key'),
  tenant: z.string(),
  name: z.string(),
  scopes: z.array(z.enum(SCOPES)),
  created_at: z.iso.datetime(),
  last_used_at: z.iso.datetime().nullable().describe('at most a minute older than the truth; null: never'),
  expires_at: z.iso.datetime().nullable(),
});

const KeyAnswer = KeyView.extend({ key: z.string() });

/** The query of `GET /admin/v1/keys`. */
const KeysQuery = z.strictObject({ tenant: TenantParameter, ...PageQuery });

/** The reason of `DELETE /admin/v1/keys/{id}`, in the query or in the body. */
const DeleteReason = z.strictObject({ reason: Reason.meta({ param: { example: 'it leaked' } }) });

const keyView = (key: KnownKey): z.output<typeof KeyView> => ({
  id: key.key_id,
  object: 'api_key',
  tenant: key.tenant,
  name: key.name,
  scopes: key.scopes,
  created_at: rfc3339(key.created_at),
  last_used_at: rfc3339(key.last_used_at),
  expires_at: rfc3339(key.expires_at),
});

export const createKey = route({
  method: 'post',
  path: '/admin/v1/keys',
  scope: 'admin:keys',
  operation: {
    operationId: 'createKey',
    summary: 'Make an API key for a tenant',
    requestBody: body(
      KeyRequest,
      { tenant: 'acme', name: 'back end', scopes: ['jobs:read', 'jobs:write'] },
      {
        tenant: 'acme',
        name: 'audit',
        scopes: ['jobs:read'],
        expires_at: '2099-01-31T00:00:00Z',
        reason: 'the yearly look at the books',
      },
    ),
    responses: {
      '201': json(KeyAnswer, 'The key; its text is shown only here', {
        ...keyExample,
        key: 'gj_mZ3v0sJ9b1Q4x7Yt2Lk8Rw5Nc6Hf0PdAeUgIiVqSoT4',
      }),
      ...refusals(...ofBody, ...always),
    },
  },
  handlers: (o: { apiKeys: Pick<ApiKeys, 'create'>; audited: Audited; clock: Clock }) => [
    ...jsonBody(SMALL_BODY),
    async (request, response) => {
      const { tenant, name, scopes, expires_at, reason = '' } = validateBody(KeyRequest, request.body);
      const now = o.clock.now();
      const expiresAt = expires_at === undefined ? null : Date.parse(expires_at);
      if (expiresAt !== null && expiresAt <= now) throw invalid([{ pointer: '/expires_at', message: 'must lie in the future' }]);
      const holder = principalOf(response);
      const beyond = scopes.filter((scope) => !holder.scopes.includes(scope));
      if (beyond.length > 0)
        throw new Problem('forbidden', `This API key lacks ${beyond.join(', ')}, so it cannot give them to another.`);
      if (holder.expires_at !== null && (expiresAt ?? Number.POSITIVE_INFINITY) > holder.expires_at)
        throw invalid([{ pointer: '/expires_at', message: 'must not be later than the end of the key that makes this one' }]);
      const made = await o.audited(response, { action: 'key.create', target: tenant, reason }, async () => {
        const result = await o.apiKeys.create({ tenant, name, scopes: [...new Set(scopes)], expiresAt, now });
        return { result, target: result.key_id, detail: `${name}, of ${tenant}: ${result.scopes.join(' ')}` };
      });
      response
        .status(201)
        .set('Cache-Control', 'no-store')
        .json({ ...keyView(made), key: made.key } satisfies z.output<typeof KeyAnswer>);
    },
  ],
});

export const listKeys = route({
  method: 'get',
  path: '/admin/v1/keys',
  scope: 'admin:read',
  operation: {
    operationId: 'listKeys',
    summary: 'API keys, the newest first, without their texts',
    requestParams: { query: KeysQuery },
    responses: {
      '200': json(listOf(KeyView), 'A page; `next_cursor` is null on the last one', page(keyExample)),
      ...refusals('bad_request', 'invalid_request', ...always),
    },
  },
  handlers: (o: { apiKeys: Pick<ApiKeys, 'list'> }) => [
    async (request, response) => {
      const { tenant, limit, cursor } = validate(KeysQuery, Object.fromEntries(single(request.query)));
      const after = cursor === undefined ? null : readCursor(cursor);
      const rest = (await o.apiKeys.list()).filter(
        (key) =>
          (tenant ?? key.tenant) === key.tenant &&
          (after === null || key.created_at < after.at || (key.created_at === after.at && key.key_id < after.id)),
      );
      const shown = rest.slice(0, limit);
      const last = rest.length > limit ? shown.at(-1) : undefined;
      const next_cursor = writeCursor(last === undefined ? null : { at: last.created_at, id: last.key_id });
      response.json({ object: 'list', data: shown.map(keyView) satisfies ApiKeyView[], next_cursor });
    },
  ],
});

export const deleteKey = route({
  method: 'delete',
  path: '/admin/v1/keys/{id}',
  scope: 'admin:write',
  operation: {
    operationId: 'deleteKey',
    summary: 'Revoke an API key: every process refuses it at once',
    description:
      'The reason may come in a JSON body `{"reason": …}` instead. Sent again within three days it is answered again: the first answer may be lost.',
    requestParams: {
      path: z.object({ id: z.string().meta({ example: 'key_6f1d0c2b7d9a1e3344aa55cc' }) }),
      query: DeleteReason,
    },
    responses: { '204': { description: 'Revoked' }, ...refusals('not_found', ...ofBody, ...always) },
  },
  handlers: (o: { apiKeys: Pick<ApiKeys, 'remove'>; audited: Audited }) => [
    ...optionalJsonBody(SMALL_BODY),
    async (request, response) => {
      const { reason } = validateBody(DeleteReason, request.body ?? Object.fromEntries(single(request.query)));
      const { id } = request.params;
      await o.audited(response, { action: 'key.delete', target: id, reason }, async () => {
        const removed = await o.apiKeys.remove(id);
        if (removed === null)
          throw new Problem('not_found', 'There is no key with this id. ADMIN_API_KEY is set by configuration.');
        return {
          result: removed,
          detail: removed === 'before' ? 'it was revoked before' : `${removed.name}, of ${removed.tenant}`,
        };
      });
      response.status(204).end();
    },
  ],
});
