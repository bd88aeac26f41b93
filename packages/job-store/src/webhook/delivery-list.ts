import type { Delivery } from '@grsai-jobs/jobs';
import { type Cursor, createNewestFirst, pipelined, type Redis } from '@grsai-jobs/redis';
import { unpackDoc } from '../job/doc-codec.ts';
import type { Keys } from '../layout/keys.ts';
import { decodeDelivery } from './delivery-codec.ts';
import { eventIdsOf, reportsProgress } from './event-ids.ts';

/** What a delivery has to be to stand in the list; what is left out does not matter. */
export interface DeliveryFilter {
  jobId?: string;
  state?: readonly Delivery['state'][];
  type?: readonly string[];
  /** Whether the address that the delivery goes to counts. */
  goesTo?: (url: string) => boolean;
}

export interface DeliveryPage {
  deliveries: Delivery[];
  /** Where the next page goes on; `null`: there is no more. */
  next: Cursor | null;
}

/** Of an erased job nobody knows how many runs it had; what is still pending is looked for in so many. */
const ERASED = { runs: 50, progress: false };

type Part = string | null | undefined;

const matches = (filter: DeliveryFilter, [state, type, url]: readonly Part[]): boolean =>
  Boolean(state) &&
  (filter.state?.includes(state as Delivery['state']) ?? true) &&
  (filter.type?.includes(type ?? '') ?? true) &&
  (filter.goesTo?.(url ?? '') ?? true);

const isBehind = (cursor: Cursor | null, { created_at: at, id }: Delivery): boolean =>
  cursor === null || at < cursor.at || (at === cursor.at && id < cursor.id);

export type DeliveryList = ReturnType<typeof createDeliveryList>;

/** Webhook deliveries of one tenant or of all, the newest first. Ids whose delivery is gone by now are passed over. */
export function createDeliveryList(
  redis: Redis,
  keys: Keys,
  clock: { now(): number },
  tenants: { all(): Promise<readonly string[]> },
) {
  const newestFirst = createNewestFirst(redis, clock);

  async function read(ids: readonly string[]): Promise<Delivery[]> {
    const found = await pipelined(redis, ids, (pipeline, id) => pipeline.hgetall(keys.delivery(id)));
    return (found as Record<string, string>[]).flatMap((fields) => (fields['id'] ? [decodeDelivery(fields)] : []));
  }

  async function hits(ids: readonly string[], filter: DeliveryFilter): Promise<boolean[]> {
    const heads = await pipelined(redis, ids, (pipeline, id) => pipeline.hmget(keys.delivery(id), 'state', 'type', 'url'));
    return heads.map((parts) => matches(filter, parts as Part[]));
  }

  /** Ids are made from the job, so those of one job need no search through the whole list. */
  async function ofJob(jobId: string, tenant: string | null): Promise<Delivery[]> {
    const [runs, doc] = await Promise.all([redis.hget(keys.job(jobId), 'run'), redis.get(keys.jobPart(jobId, 'doc'))]);
    const of = runs && doc ? { runs: Number(runs), progress: reportsProgress(unpackDoc(doc).webhook) } : ERASED;
    const own = (await read(eventIdsOf(jobId, of))).filter((delivery) => tenant === null || delivery.tenant === tenant);
    return own.sort((a, b) => b.created_at - a.created_at || (a.id < b.id ? 1 : -1));
  }

  return {
    /**
     * One page; of all tenants where `tenant` is `null`. Reads at most some 2 000 deliveries, or for 2 s, so a rare filter can
     * answer an empty page with a next one.
     */
    async page(o: { tenant: string | null; filter: DeliveryFilter; after: Cursor | null; limit: number }): Promise<DeliveryPage> {
      const { filter } = o;
      if (filter.jobId !== undefined) {
        const all = await ofJob(filter.jobId, o.tenant);
        const rest = all.filter((each) => matches(filter, [each.state, each.type, each.url]) && isBehind(o.after, each));
        const deliveries = rest.slice(0, o.limit);
        const last = deliveries.at(-1);
        return { deliveries, next: last && rest.length > o.limit ? { at: last.created_at, id: last.id } : null };
      }
      const { cursors, next } = await newestFirst.page({
        indexes: (o.tenant === null ? await tenants.all() : [o.tenant]).map(keys.tenantDeliveries),
        behind: o.after,
        limit: o.limit,
        hits: filter.state || filter.type || filter.goesTo ? (some) => hits(some, filter) : undefined,
      });
      return { deliveries: await read(cursors.map(({ id }) => id)), next };
    },

    /**
     * The next deliveries that were made from `from` to `to` (both counted in), the oldest first, behind `after`.
     * `next` is `null` when that was the last of them.
     */
    async madeBetween(o: {
      tenant: string;
      from: number;
      to: number;
      after: Cursor | null;
      count: number;
    }): Promise<DeliveryPage> {
      const from = Math.max(o.from, o.after?.at ?? 0);
      const found: Cursor[] = [];
      let more = true;
      for (let offset = 0; more && found.length < o.count; offset += o.count) {
        const page = ['BYSCORE', 'LIMIT', offset, o.count, 'WITHSCORES'] as const;
        const flat = await redis.zrange(keys.tenantDeliveries(o.tenant), String(from), String(o.to), ...page);
        for (let i = 0; i < flat.length; i += 2) {
          const cursor = { id: String(flat[i]), at: Number(flat[i + 1]) };
          if (o.after === null || cursor.at > o.after.at || cursor.id > o.after.id) found.push(cursor);
        }
        more = flat.length === 2 * o.count;
      }
      const cursors = found.slice(0, o.count);
      const last = cursors.at(-1) ?? null;
      return { deliveries: await read(cursors.map(({ id }) => id)), next: more || found.length > o.count ? last : null };
    },
  };
}
