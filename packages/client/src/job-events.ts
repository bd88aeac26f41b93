import { type CallOptions, withinStream } from './deadline.ts';
import { messagesOf, type Place, startAt, untilEnded } from './event-source.ts';
import { pathOf } from './paths.ts';
import { ENDED } from './results.ts';
import { OUTAGE_MS, type Patience } from './retry-policy.ts';
import type { Transport } from './transport.ts';
import type { JobEvent } from './types.ts';

export interface EventsOptions extends CallOptions {
  /** The `seq` of an event that is known; those after it come. */
  after?: number | undefined;
  /** Milliseconds for which the service may be away without a break before it rejects (default 10 min). */
  outageMs?: number | undefined;
}

const eventsPath = (id: string): string => `${pathOf('jobs', id)}/events`;

/** The events of a job, each once, to the end of its newest run. */
export function eventsOfJob(
  transport: Transport,
  id: string,
  { after = 0, outageMs = OUTAGE_MS, ...call }: EventsOptions,
): AsyncGenerator<JobEvent, void, undefined> {
  return withinStream(call, (signal) => {
    const at = startAt(after);
    const o = { signal, patience: { outageMs } };
    return untilEnded(transport, at, { path: eventsPath(id), signal }, () => followOnce(transport, id, at, o));
  });
}

/**
 * One stream of events from `at` on, to its end or until it is cut; `at` says what came of it. Throws the reason of the signal
 * alone.
 */
export async function* followOnce(
  transport: Transport,
  id: string,
  at: Place,
  o: { signal: AbortSignal; patience?: Patience },
): AsyncGenerator<JobEvent, void, undefined> {
  let known: JobEvent | undefined;
  for await (const { data } of messagesOf(transport, at, { path: eventsPath(id), ...o })) {
    const event = JSON.parse(data) as JobEvent;
    known = event.seq <= at.seq ? event : undefined;
    if (known !== undefined) continue;
    at.seq = event.seq;
    at.ended = ENDED.has(event.status);
    yield event;
  }
  // A number that the service never gave, or has lost since, counts there as none: no event comes behind it, and the end is the end all the same.
  if (known === undefined || !ENDED.has(known.status)) return;
  at.ended = true;
  yield known;
}
