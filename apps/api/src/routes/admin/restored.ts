import { rfc3339 } from '@grsai-jobs/jobs';
import type { Clock } from '@grsai-jobs/runtime';
import { z } from 'zod';
import type { Audited } from '../../http/audited.ts';
import { jsonBody, SMALL_BODY } from '../../http/body.ts';
import { json, refusals } from '../../http/openapi/answers.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { validateBody } from '../../http/validate.ts';
import type { Restored } from '../../use-cases/restored.ts';
import { Reason, time } from '../../validation/fields.ts';
import { always, body, ofBody } from './operation.ts';

const Restore = z.strictObject({
  at: time.describe('when the backup was made that Redis was restored from'),
  reason: Reason,
});

const RestoredView = z
  .object({
    object: z.literal('restored'),
    at: z.iso.datetime(),
    held: z
      .object({ images: z.int(), chats: z.int() })
      .describe('waited for their call, or it was in flight: they are suspects now'),
    held_lines: z.int().describe('of these, lines of batches'),
    asked: z.int().describe('images whose task is asked for'),
    too_old: z.int().describe('images whose task is older than upstream keeps one'),
    storing: z.int().describe('results that are stored under the same keys'),
    canceling: z.int(),
    webhooks: z.int().describe('not delivered at that time: sent with the ids that they had'),
    called_off: z
      .object({ retries: z.int(), bulk_actions: z.int() })
      .describe('retries of batches and bulk actions that would run jobs again'),
  })
  .meta({ id: 'Restored' });

const example = {
  object: 'restored',
  at: '2026-11-27T03:00:00.000Z',
  ...{ held: { images: 38, chats: 4 }, held_lines: 0, asked: 12, too_old: 1, storing: 3, canceling: 0, webhooks: 17 },
  called_off: { retries: 0, bulk_actions: 0 },
};

/** Redis was restored from a backup. */
export const restored = route({
  method: 'post',
  path: '/admin/v1/restored',
  scope: 'admin:write',
  operation: {
    operationId: 'restored',
    summary: 'Redis was restored from a backup',
    description:
      'To be sent once, after the restore and before the workers start. Every job that may have been paid for since the backup is asked for, looked for in the bucket, or held for a decision; nothing is called again by itself.',
    requestBody: body(Restore, { at: '2026-11-27T03:00:00Z', reason: 'the disk of Redis died' }),
    responses: {
      '200': json(RestoredView, 'What stood in the backup, and what becomes of it', example),
      ...refusals(...ofBody, ...always),
    },
  },
  handlers: (o: { restored: Restored; audited: Audited; clock: Clock }) => [
    ...jsonBody(SMALL_BODY),
    async (request, response) => {
      const { at, reason } = validateBody(Restore, request.body);
      const since = Date.parse(at);
      if (since > o.clock.now())
        throw new Problem('invalid_request', 'The time of a backup is past.', {
          errors: [{ pointer: '/at', message: 'must not be in the future' }],
        });
      const result = await o.audited(response, { action: 'restored', target: rfc3339(since), reason }, async () => {
        const found = await o.restored(since);
        return { result: found, detail: JSON.stringify(found) };
      });
      response.json({ object: 'restored', at: rfc3339(since), ...result });
    },
  ],
});
