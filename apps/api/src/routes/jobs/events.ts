import type { EventFeed, FeedEvent, JobStore } from '@grsai-jobs/job-store';
import { isTerminal, type JobRecord } from '@grsai-jobs/jobs';
import type { Clock } from '@grsai-jobs/runtime';
import type { Response } from 'express';
import { z } from 'zod';
import { eventView, openEventStream } from '../../http/event-stream.ts';
import type { KeyEnds } from '../../http/key-ends.ts';
import { lastEventId } from '../../http/last-event-id.ts';
import { ownJob } from '../../http/named.ts';
import type { OpenRequests } from '../../http/open-requests.ts';
import { listExample, listOf, refusals } from '../../http/openapi/answers.ts';
import { route } from '../../http/route.ts';
import { missedEvents } from '../../use-cases/missed-events.ts';
import { eventStream, progressEvent } from './examples.ts';
import { ofOneJob, oneJob } from './one-job.ts';
import { JobEventBody } from './schemas.ts';

interface WatchJobDeps {
  jobs: Pick<JobStore['jobs'], 'read'>;
  feed: EventFeed;
  keyEnds: KeyEnds['keyEnds'];
  clock: Clock;
  heartbeatMs: number;
  /** Marks a request as one that stays open. */
  lasts: OpenRequests['lasts'];
}

/** What happens to a job: as a stream that ends with the job, or as the list of what is known. */
export const watchJob = route({
  method: 'get',
  path: '/v1/jobs/{id}/events',
  scope: 'jobs:read',
  operation: {
    operationId: 'watchJob',
    summary: 'Follow a job until it ends',
    description:
      'With `Accept: text/event-stream` a stream that ends with the job: `id` is `seq`, `event` is `type`, `data` a JobEvent. With another Accept the events that are still known, as a list. Where older ones are forgotten, one event with the present state stands for them.',
    requestParams: {
      ...oneJob,
      header: z.object({
        'Last-Event-ID': z.string().optional().meta({ example: '3' }).describe('the seq of the last event that you have seen'),
      }),
    },
    responses: {
      '200': {
        description: 'The events',
        content: {
          'text/event-stream': { schema: z.string(), example: eventStream },
          'application/json': { schema: listOf(JobEventBody), example: listExample(progressEvent) },
        },
      },
      '204': { description: 'The job has ended and you have seen all of it' },
      ...refusals('bad_request', ...ofOneJob),
    },
  },
  handlers: (o: WatchJobDeps) => [
    async (request, response) => {
      const after = lastEventId(request.headers['last-event-id']);
      const { id } = request.params;
      // A HEAD is answered as the list is: a stream would keep it waiting for the end of the job.
      if (request.method === 'HEAD' || !/\btext\/event-stream\b/i.test(request.headers.accept ?? '')) {
        const job = await ownJob(o.jobs, id, response);
        await o.feed.caughtUp();
        const data = missedEvents(o.feed.known(id), job, after, o.clock.now()).map(eventView);
        response.json({ object: 'list', data, next_cursor: null });
        return;
      }
      o.lasts(response);
      await follow(o, id, after, response);
    },
  ],
});

/** Subscribes before it reads, so that no event is lost between the two. */
async function follow(o: WatchJobDeps, id: string, after: number, response: Response): Promise<void> {
  const early: FeedEvent[] = [];
  let receive = (event: FeedEvent): void => void early.push(event);
  let over = (): void => undefined;
  let ended = false;
  const end = () => {
    ended = true;
    over();
  };
  // Whoever missed an event comes back, and gets the state of the record then.
  const stop = o.feed.watch(id, { event: (event) => receive(event), missed: end, end });
  response.on('close', stop);
  o.keyEnds(response).addEventListener('abort', end, { once: true });
  try {
    const job = await ownJob(o.jobs, id, response);
    await o.feed.caughtUp();
    // Nothing would close a stream that is opened for somebody who has left.
    if (response.destroyed) return stop();
    const missed = missedEvents(o.feed.known(id), job, after, o.clock.now());
    if (missed.length === 0 && isTerminal(job.status)) {
      // 204 keeps an EventSource from coming back (HTML §9.2.3).
      stop();
      response.status(204).end();
      return;
    }
    const stream = openEventStream(response, o.heartbeatMs);
    over = () => stream.end();
    receive = forward(job, after, (event, last) => {
      stream.send(event);
      if (last) stream.end();
    });
    for (const event of [...missed, ...early]) receive(event);
    if (ended) stream.end();
  } catch (error) {
    stop();
    throw error;
  }
}

/** Hands on each event once, in order; the last one is the end of the run that is the job's newest. */
function forward(job: JobRecord, after: number, send: (event: FeedEvent, last: boolean) => void): (event: FeedEvent) => void {
  let sent = after > job.seq ? 0 : after;
  let over = false;
  return (event) => {
    if (over || event.seq <= sent) return;
    sent = event.seq;
    over = isTerminal(event.status) && event.seq >= job.seq;
    send(event, over);
  };
}
