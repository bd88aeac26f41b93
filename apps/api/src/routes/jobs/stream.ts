import type { JobStore } from '@grsai-jobs/job-store';
import { isTerminal, type JobRecord } from '@grsai-jobs/jobs';
import type { Clock } from '@grsai-jobs/runtime';
import { anySignal } from 'any-signal';
import type { Response } from 'express';
import { z } from 'zod';
import { COME_BACK, openPacedStream } from '../../http/event-stream.ts';
import type { KeyEnds } from '../../http/key-ends.ts';
import { lastEventId } from '../../http/last-event-id.ts';
import { ownJob } from '../../http/named.ts';
import type { OpenRequests } from '../../http/open-requests.ts';
import { refusals } from '../../http/openapi/answers.ts';
import { route } from '../../http/route.ts';
import { type FollowStream, lastEventId as lastIdOf, type StreamEvent } from '../../use-cases/stream/follow-stream.ts';
import { tokenStream } from './examples.ts';
import { ofOneJob, oneJob } from './one-job.ts';

interface StreamJobDeps {
  jobs: Pick<JobStore['jobs'], 'read'>;
  followStream: FollowStream;
  keyEnds: KeyEnds['keyEnds'];
  clock: Clock;
  heartbeatMs: number;
  /** Marks a request as one that stays open. */
  lasts: OpenRequests['lasts'];
}

/** A job may outlast its time by what its last call takes. */
const BEYOND_EXPIRY_MS = 15 * 60_000;

/** The answer of a chat while it comes in. */
export const streamJob = route({
  method: 'get',
  path: '/v1/jobs/{id}/stream',
  scope: 'jobs:read',
  operation: {
    operationId: 'streamJob',
    summary: 'Read the answer of a chat while it comes in',
    description:
      'Events without a name have a piece of the answer as `data`, as upstream sent it (`chat.completion.chunk`). `reset {attempt}` says that another attempt has begun: what came before counts no more. `end {status}` is the last event, with `complete: false` where the answer is stored and cannot be read now. Pieces come while the job runs where its input has `stream: true`; of other chats the answer comes as one piece. A request with `Last-Event-ID` goes on behind that event, at any process of the API.',
    requestParams: {
      ...oneJob,
      header: z.object({
        'Last-Event-ID': z
          .string()
          .optional()
          .meta({ example: '3000002' })
          .describe('the id of the last event that you have seen'),
      }),
    },
    responses: {
      '200': {
        description: 'The pieces and the end',
        content: { 'text/event-stream': { schema: z.string(), example: tokenStream } },
      },
      '204': { description: 'The job has ended and you have seen all of it' },
      ...refusals('bad_request', ...ofOneJob),
    },
  },
  handlers: (o: StreamJobDeps) => [
    async (request, response) => {
      const after = lastEventId(request.headers['last-event-id']);
      const job = await ownJob(o.jobs, request.params.id, response);
      if (isTerminal(job.status) && after >= lastIdOf(job)) {
        // 204 keeps an EventSource from coming back (HTML §9.2.3).
        response.status(204).end();
        return;
      }
      // Of a HEAD there is nothing to wait for.
      if (request.method === 'HEAD') {
        response.type('text/event-stream').end();
        return;
      }
      o.lasts(response);
      await tell(o, job, after, response);
    },
  ],
});

async function tell(o: StreamJobDeps, job: JobRecord, after: number, response: Response): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  // Nothing would close a stream that is opened for somebody who has left.
  if (response.destroyed) return;
  const ms = Math.max(0, job.expires_at - o.clock.now()) + BEYOND_EXPIRY_MS;
  const noMore = anySignal([gone.signal, o.keyEnds(response)]);
  try {
    const events = o.followStream(job, { after, ms, gone: noMore });
    const stream = openPacedStream(response, o.heartbeatMs);
    await stream.write(COME_BACK);
    for await (const event of events) await stream.write(textOf(event));
    stream.end();
  } finally {
    noMore.clear();
  }
}

function textOf(event: StreamEvent): string {
  if (event.kind === 'piece') return `id: ${event.id}\ndata: ${JSON.stringify(event.chunk)}\n\n`;
  const data =
    event.kind === 'reset'
      ? { attempt: event.attempt }
      : { status: event.job.status, ...(event.complete ? {} : { complete: false }) };
  return `id: ${event.id}\nevent: ${event.kind}\ndata: ${JSON.stringify(data)}\n\n`;
}
