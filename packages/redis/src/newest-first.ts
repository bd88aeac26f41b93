import type { Redis } from './client.ts';

/** A position in an index by time, whether or not what stood there still exists. */
export interface Cursor {
  at: number;
  id: string;
}

/** Times in ms since 1970, both ends open. */
interface Between {
  after?: number | undefined;
  before?: number | undefined;
}

/** Highest and lowest score of what is asked for. */
function scores({ before, after }: Between, behind: Cursor | null): [string, string] {
  const min = after === undefined ? '-inf' : `(${after}`;
  if (behind !== null && behind.at < (before ?? Number.POSITIVE_INFINITY)) return [String(behind.at), min];
  return [before === undefined ? '+inf' : `(${before}`, min];
}

const cursorsOf = (flat: readonly string[]): Cursor[] =>
  Array.from({ length: flat.length / 2 }, (_, i) => ({ id: String(flat[2 * i]), at: Number(flat[2 * i + 1]) }));

/**
 * The next cursors behind one that still stands in the index; `null` when it does not, or changed meanwhile. Fifty thousand jobs of
 * a batch have one time, and by time alone each page of them would be looked for from the first one on.
 */
async function rightBehind(redis: Redis, index: string, behind: Cursor, count: number): Promise<Cursor[] | null> {
  const rank = await redis.zrevrank(index, behind.id);
  if (rank === null) return null;
  const [first, ...next] = cursorsOf(await redis.zrange(index, String(rank), String(rank + count), 'REV', 'WITHSCORES'));
  return first?.id === behind.id && first.at === behind.at ? next : null;
}

/** Cursors of one index behind `behind`, the newest first. Those of one millisecond stand in the order of their ids. */
export async function cursorsIn(
  redis: Redis,
  index: string,
  between: Between,
  behind: Cursor | null,
  count: number,
): Promise<Cursor[]> {
  if (behind !== null && behind.at < (between.before ?? Number.POSITIVE_INFINITY)) {
    const next = await rightBehind(redis, index, behind, count);
    if (next !== null) return next.filter(({ at }) => at > (between.after ?? Number.NEGATIVE_INFINITY));
  }
  const found: Cursor[] = [];
  const [max, min] = scores(between, behind);
  for (let offset = 0; found.length < count; offset += count) {
    const page = ['BYSCORE', 'REV', 'LIMIT', offset, count, 'WITHSCORES'] as const;
    const read = cursorsOf(await redis.zrange(index, max, min, ...page));
    found.push(...read.filter((cursor) => behind === null || cursor.at < behind.at || cursor.id < behind.id));
    if (read.length < count) break;
  }
  return found.slice(0, count);
}

/** An index is asked for no fewer than this, so that many small ones do not cost a round trip for each cursor. */
const LEAST = 20;

const byAge = (a: Cursor, b: Cursor): number => b.at - a.at || (a.id < b.id ? 1 : -1);

/** The same over several indexes at once. It may answer fewer than `count`; `more` says whether there are others behind them. */
async function placesOver(
  redis: Redis,
  indexes: readonly string[],
  between: Between,
  behind: Cursor | null,
  count: number,
): Promise<{ found: Cursor[]; more: boolean }> {
  const each = indexes.length === 1 ? count + 1 : Math.max(LEAST, Math.ceil((2 * count) / Math.max(1, indexes.length)));
  const lists = await Promise.all(indexes.map((index) => cursorsIn(redis, index, between, behind, each)));
  // An index that has more may have cursors right behind its last: what is older than that cannot be put in order yet.
  const horizon = lists.flatMap((list) => (list.length === each ? list.slice(-1) : [])).sort(byAge)[0];
  const sure = lists
    .flat()
    .sort(byAge)
    .filter((cursor) => horizon === undefined || byAge(cursor, horizon) <= 0);
  return { found: sure.slice(0, count), more: sure.length > count || horizon !== undefined };
}

/** So many records one request reads at most; a page can be shorter than asked for and still have a next one. */
const READ_AT_MOST = 2000;
const READ_AT_ONCE = 200;
/** So long one request reads at most, in ms, where Redis is slow to answer. */
const READ_FOR_MS = 2000;

/** What a page is made of. */
export interface PageOrder {
  /** Sorted sets: id → ms since 1970. */
  indexes: readonly string[];
  between?: Between;
  behind: Cursor | null;
  limit: number;
  /** Which of these belong on the page, in their order; left out: all of them. */
  hits?: ((ids: readonly string[]) => Promise<boolean[]>) | undefined;
}

/** Reads indexes from the newest to the oldest, page by page. What has one time stands in the order of its ids. */
export function createNewestFirst(redis: Redis, clock: { now(): number }) {
  return {
    /** One page. With `hits` it reads at most some 2 000 records, or for 2 s, so a rare filter can answer an empty page with a next one. */
    async page(o: PageOrder): Promise<{ cursors: Cursor[]; next: Cursor | null }> {
      const cursors: Cursor[] = [];
      const size = o.hits === undefined ? o.limit : READ_AT_ONCE;
      const until = clock.now() + READ_FOR_MS;
      let next = o.behind;
      for (let read = 0; read < READ_AT_MOST; ) {
        const { found, more } = await placesOver(redis, o.indexes, o.between ?? {}, next, size);
        const hit = o.hits === undefined ? found.map(() => true) : await o.hits(found.map(({ id }) => id));
        const last = nthHit(hit, o.limit - cursors.length);
        cursors.push(...found.slice(0, last + 1).filter((_, i) => hit[i]));
        next = last + 1 < found.length || more ? (found[last] ?? null) : null;
        read += found.length;
        if (next === null || cursors.length === o.limit || clock.now() >= until) break;
      }
      return { cursors, next };
    },
  };
}

/** The index of the `n`th hit, or the last index when there are fewer. */
function nthHit(hit: readonly boolean[], n: number): number {
  let left = n;
  const index = hit.findIndex((each) => each && --left === 0);
  return index === -1 ? hit.length - 1 : index;
}
