import type { Redis } from 'ioredis';

/** A place in a list, whether or not what stood there still exists. */
export interface ListPlace {
  at: number;
  id: string;
}

/** So many records one request reads at most; a page can be shorter than asked for and still have a next one (design §2). */
const READ_AT_MOST = 2000;
const READ_AT_ONCE = 200;

/** What a page is made of. */
export interface PageOrder {
  /** A sorted set: id → ms since 1970. */
  key: string;
  /** Both ends open, in ms. */
  range?: { after?: number | undefined; before?: number | undefined };
  place: ListPlace | null;
  limit: number;
  /** Which of these belong on the page, in their order; left out: all of them. */
  hits?: ((ids: readonly string[]) => Promise<boolean[]>) | undefined;
}

/** Highest and lowest score of what is asked for. */
function scores({ after, before = Number.POSITIVE_INFINITY }: NonNullable<PageOrder['range']>, place: ListPlace | null) {
  const min = after === undefined ? '-inf' : `(${after}`;
  if (place !== null && place.at < before) return [String(place.at), min] as const;
  return [before === Number.POSITIVE_INFINITY ? '+inf' : `(${before}`, min] as const;
}

/** Reads sorted sets from the newest to the oldest, page by page. What has one time stands in the order of its ids. */
export function createNewestFirst(redis: Redis) {
  async function places(o: PageOrder, place: ListPlace | null, count: number): Promise<ListPlace[]> {
    const found: ListPlace[] = [];
    const [max, min] = scores(o.range ?? {}, place);
    for (let offset = 0; found.length < count; offset += count) {
      const page = ['BYSCORE', 'REV', 'LIMIT', offset, count, 'WITHSCORES'] as const;
      const flat = await redis.zrange(o.key, max, min, ...page);
      const read = Array.from({ length: flat.length / 2 }, (_, i) => ({ id: String(flat[2 * i]), at: Number(flat[2 * i + 1]) }));
      found.push(...read.filter((each) => place === null || each.at < place.at || each.id < place.id));
      if (read.length < count) break;
    }
    return found.slice(0, count);
  }

  return {
    /** One page of ids. With `hits` it reads at most 2 000, so a rare filter can answer an empty page with a next one. */
    async page(o: PageOrder): Promise<{ ids: string[]; next: ListPlace | null }> {
      const ids: string[] = [];
      const size = o.hits === undefined ? o.limit : READ_AT_ONCE;
      let next = o.place;
      for (let read = 0; read < READ_AT_MOST; read += size) {
        const found = await places(o, next, size + 1);
        const chunk = found.slice(0, size).map(({ id }) => id);
        const hit = o.hits === undefined ? chunk.map(() => true) : await o.hits(chunk);
        const last = nthHit(hit, o.limit - ids.length);
        ids.push(...chunk.slice(0, last + 1).filter((_, i) => hit[i]));
        next = last + 1 < found.length ? (found[last] ?? null) : null;
        if (next === null || ids.length === o.limit) break;
      }
      return { ids, next };
    },
  };
}

/** The index of the `n`th hit, or the last index when there are fewer. */
function nthHit(hit: readonly boolean[], n: number): number {
  let left = n;
  const index = hit.findIndex((each) => each && --left === 0);
  return index === -1 ? hit.length - 1 : index;
}
