import type { Stage, Status } from '@grsai-jobs/jobs';
import { fieldsOf, type Primary, type Redis } from '@grsai-jobs/redis';
import { createKeys } from '../layout/keys.ts';
import type { Timers } from '../timers.ts';
import { createEventHistory, type FeedEvent } from './event-history.ts';

export type { FeedEvent } from './event-history.ts';

export interface Watcher {
  event(event: FeedEvent): void;
  /** The stream was trimmed faster than it was read, so an event may be missing, the last one too: the record is right. */
  missed(): void;
  /** The process stops: nothing more will come. */
  end(): void;
}

export interface EventFeed {
  readonly name: string;
  /** What is still known of a job, oldest first, without gaps; older events may be forgotten. */
  known(jobId: string): readonly FeedEvent[];
  /** Watches the events of a job from now on. Answers how to stop; when the feed has stopped, `end` comes at once. */
  watch(jobId: string, watcher: Watcher): () => void;
  /** Resolves when all that stood in Redis at this moment is known here, or after a second. */
  caughtUp(): Promise<void>;
  stop(): Promise<void>;
}

/** Events kept in memory for those who come back, some 5 MB. */
const KEEP = 20_000;
const READ_AT_ONCE = 1000;
const BLOCK_MS = 5000;
/**
 * Readings are so far apart on the whole, so that Redis is not asked once for each event of a busy service. So many may follow each other at
 * once: an event is known at once where they are few, also the one that ends a quick job right behind its beginning.
 */
const APART_MS = 5;
const IN_A_ROW = 20;
/** Readings are so far apart while nobody watches: most jobs end by a webhook, and a reading for each of their events has nobody to tell. */
const UNWATCHED_MS = 100;
const AGAIN_AFTER_MS = 500;
const CATCH_UP_MS = 1000;
/** Before the first event of a stream. */
const START = '0-0';

/**
 * Reads the one stream of events for this process, from what it still holds to what comes, and hands each event to those
 * who watch its job: however many they are, Redis sees one reader.
 * @param o.reader a connection for this alone, of the role that waits: its command blocks.
 * @param o.redis a connection for small questions.
 * @param o.primary another one may have forgotten what was read here, and tells other things under the same numbers.
 */
export function startEventFeed(o: {
  reader: Redis;
  redis: Redis;
  primary?: Pick<Primary, 'onChange'>;
  prefix: string;
  onError: (error: Error) => void;
  timers: Pick<Timers, 'elapsed' | 'sleep' | 'after'>;
  /** So many readings may follow each other at once. */
  inARow?: number;
}): EventFeed {
  const { events: stream } = createKeys(o.prefix);
  const history = createEventHistory(KEEP);
  const watchers = new Map<string, Set<Watcher>>();
  const waiting = new Set<{ id: string; resolve: () => void }>();
  const stopping = new AbortController();
  const spareMs = (o.inARow ?? IN_A_ROW) * APART_MS;
  let at = START;
  /** When all readings until now would have been over, had they been apart. */
  let spentUntil = Number.NEGATIVE_INFINITY;
  /** Another primary tells other things: what was read is of no use. */
  let isOther = false;
  /** Ends the pause that is kept while nobody watches. */
  let wake = (): void => undefined;

  function take(id: string, event: FeedEvent): void {
    at = id;
    history.add(event);
    for (const watcher of watchers.get(event.job_id) ?? []) watcher.event(event);
  }

  /** Whether what followed `cursor` was trimmed. Only a reader that is far behind has to ask, and such a one reads full pages. */
  async function wasTrimmed(cursor: string): Promise<boolean> {
    const [oldest] = await o.redis.xrange(stream, '-', '+', 'COUNT', 1);
    return oldest !== undefined && isAfter(oldest[0], cursor);
  }

  /** Whoever watches reads the record of its job anew. */
  function allMissed(): void {
    for (const ofJob of [...watchers.values()]) for (const watcher of [...ofJob]) watcher.missed();
  }

  o.primary?.onChange(() => {
    isOther = true;
    history.clear();
    allMissed();
  });

  /** From the end of its stream on. */
  async function startAnew(): Promise<void> {
    isOther = false;
    const newest = await o.redis.xrevrange(stream, '+', '-', 'COUNT', 1).catch((error: unknown) => {
      isOther = true;
      throw error;
    });
    at = newest[0]?.[0] ?? START;
    history.clear();
    allMissed();
  }

  async function readOnce(): Promise<void> {
    if (isOther) await startAnew();
    const before = at;
    const reply = await o.reader.xread('COUNT', READ_AT_ONCE, 'BLOCK', BLOCK_MS, 'STREAMS', stream, before);
    if (isOther) return;
    const read = [...eventsOf(reply)];
    // Asked before the cursor advances: where the question fails the page is read again, and the question comes again too.
    const trimmed = read.length === READ_AT_ONCE && before !== START && (await wasTrimmed(before));
    for (const [id, event] of read) take(id, event);
    if (trimmed) allMissed();
    for (const each of waiting) {
      if (isAfter(each.id, at)) continue;
      waiting.delete(each);
      each.resolve();
    }
    const now = o.timers.elapsed();
    spentUntil = Math.max(spentUntil, now - spareMs) + APART_MS;
    const waitMs = spentUntil - now;
    if (read.length < READ_AT_ONCE && watchers.size + waiting.size === 0) await untilWatched();
    else if (waitMs > 0 && read.length < READ_AT_ONCE) await o.timers.sleep(waitMs, stopping.signal);
  }

  async function untilWatched(): Promise<void> {
    if (stopping.signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    wake = resolve;
    const end = o.timers.after(UNWATCHED_MS, resolve);
    await promise;
    end();
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await readOnce();
      } catch (error) {
        if (stopping.signal.aborted) return;
        o.onError(error instanceof Error ? error : new Error(String(error)));
        await o.timers.sleep(AGAIN_AFTER_MS);
      }
    }
  }
  const running = run();

  return {
    name: 'events',
    known: (jobId) => history.of(jobId),
    watch(jobId, watcher) {
      if (stopping.signal.aborted) {
        watcher.end();
        return () => undefined;
      }
      const ofJob = watchers.get(jobId) ?? new Set();
      watchers.set(jobId, ofJob.add(watcher));
      wake();
      return () => {
        ofJob.delete(watcher);
        if (ofJob.size === 0 && watchers.get(jobId) === ofJob) watchers.delete(jobId);
      };
    },
    async caughtUp() {
      const newest = (await o.redis.xrevrange(stream, '+', '-', 'COUNT', 1))[0]?.[0];
      if (newest === undefined || !isAfter(newest, at)) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      const each = { id: newest, resolve };
      waiting.add(each);
      wake();
      const end = o.timers.after(CATCH_UP_MS, resolve);
      await promise;
      end();
      waiting.delete(each);
    },
    async stop() {
      stopping.abort();
      wake();
      for (const ofJob of [...watchers.values()]) for (const watcher of [...ofJob]) watcher.end();
      watchers.clear();
      o.reader.disconnect();
      await running;
    },
  };
}

/** Ids of a stream are `<ms>-<n>`. */
function isAfter(a: string, b: string): boolean {
  const [aMs = 0, aN = 0] = a.split('-').map(Number);
  const [bMs = 0, bN = 0] = b.split('-').map(Number);
  return aMs > bMs || (aMs === bMs && aN > bN);
}

function* eventsOf(reply: unknown): Iterable<[string, FeedEvent]> {
  const [, entries] = (reply as [string, [string, string[]][]][] | null)?.[0] ?? [];
  for (const [id, flat] of entries ?? []) {
    const fields = fieldsOf(flat);
    if (fields === null) continue;
    yield [
      id,
      {
        job_id: fields['j'] ?? '',
        seq: Number(fields['s']),
        type: fields['t'] ?? '',
        status: fields['st'] as Status,
        stage: (fields['sg'] || null) as Stage | null,
        run: Number(fields['r']),
        progress: Number(fields['p']),
        at: Number.parseInt(id, 10),
      },
    ];
  }
}
