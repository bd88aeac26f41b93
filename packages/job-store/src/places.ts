import type { Redis } from 'ioredis';

/** A place in an index by time, whether or not its job is still there. */
export interface ListPlace {
  at: number;
  id: string;
}

/** Times in ms since 1970, both ends open. */
export interface Between {
  after?: number | undefined;
  before?: number | undefined;
}

/** Highest and lowest score of what is asked for. */
function scores({ before, after }: Between, behind: ListPlace | null): [string, string] {
  const min = after === undefined ? '-inf' : `(${after}`;
  if (behind !== null && behind.at < (before ?? Number.POSITIVE_INFINITY)) return [String(behind.at), min];
  return [before === undefined ? '+inf' : `(${before}`, min];
}

/** Places of one index behind `behind`, the newest first. Those of one millisecond stand in the order of their ids. */
export async function placesIn(
  redis: Redis,
  index: string,
  between: Between,
  behind: ListPlace | null,
  count: number,
): Promise<ListPlace[]> {
  const found: ListPlace[] = [];
  const [max, min] = scores(between, behind);
  for (let offset = 0; found.length < count; offset += count) {
    const page = ['BYSCORE', 'REV', 'LIMIT', offset, count, 'WITHSCORES'] as const;
    const flat = await redis.zrange(index, max, min, ...page);
    const read = Array.from({ length: flat.length / 2 }, (_, i) => ({ id: String(flat[2 * i]), at: Number(flat[2 * i + 1]) }));
    found.push(...read.filter((place) => behind === null || place.at < behind.at || place.id < behind.id));
    if (read.length < count) break;
  }
  return found.slice(0, count);
}

/** An index is asked for no fewer than this, so that many small ones do not cost a round trip for each place. */
const LEAST = 20;

const newestFirst = (a: ListPlace, b: ListPlace): number => b.at - a.at || (a.id < b.id ? 1 : -1);

/** The same over several indexes at once. It may answer fewer than `count`; `more` says whether there are others behind them. */
export async function placesOver(
  redis: Redis,
  indexes: readonly string[],
  between: Between,
  behind: ListPlace | null,
  count: number,
): Promise<{ found: ListPlace[]; more: boolean }> {
  const each = indexes.length === 1 ? count + 1 : Math.max(LEAST, Math.ceil((2 * count) / Math.max(1, indexes.length)));
  const lists = await Promise.all(indexes.map((index) => placesIn(redis, index, between, behind, each)));
  // An index that has more may have places right behind its last: what is older than that cannot be put in order yet.
  const horizon = lists.flatMap((list) => (list.length === each ? list.slice(-1) : [])).sort(newestFirst)[0];
  const sure = lists
    .flat()
    .sort(newestFirst)
    .filter((place) => horizon === undefined || newestFirst(place, horizon) <= 0);
  return { found: sure.slice(0, count), more: sure.length > count || horizon !== undefined };
}
