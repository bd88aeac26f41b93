import { defineScript, type Redis, type RunScript } from '@grsai-jobs/redis';
import type { Timers } from '../timers.ts';
import type { Keys } from './keys.ts';
import { MIGRATIONS, type Migration } from './migrations.ts';

/**
 * The form of the data in Redis. Raise it with each change that an older release would misread or damage, and add the migration from
 * the version before to `MIGRATIONS`.
 */
export const SCHEMA_VERSION = 4;

const swapSchema = defineScript({
  lua: new URL('./schema-swap.lua', import.meta.url),
  keys: ['schema'],
  args: ['seen?', 'next'],
  whenFull: 'runs',
});

/** Releases before the key existed wrote this version. */
const UNMARKED_VERSION = 1;

/** How often a running process reads the version. */
const CHECK_EVERY_MS = 5000;

export interface Schema {
  /**
   * Run once at start, before anything else is read or written. Marks an empty installation with the version of this process; brings
   * older data up to date, after it has said so in Redis, so that processes of older releases end.
   * @throws when the data is newer than this process, with a sentence that says what to do.
   */
  open(): Promise<void>;
  /** Why this process must not work on the data any longer; `undefined`: it may. */
  trouble(): Promise<string | undefined>;
}

/** What stands in the key: `2`, or `1>2` while a migration is under way. */
interface Standing {
  readonly text: string;
  readonly from: number;
  readonly to: number;
}

export function createSchema(
  o: { redis: Redis; run: RunScript; keys: Keys },
  { version, migrations }: { version: number; migrations: Readonly<Record<number, Migration>> } = {
    version: SCHEMA_VERSION,
    migrations: MIGRATIONS,
  },
): Schema {
  const { redis, run, keys } = o;

  /** Writes `to` where `seen` still stands (empty: nothing), and answers what stands there then. */
  const swap = async (seen: string, to: string): Promise<string> =>
    String(await run(swapSchema, { schema: keys.schema }, { seen, next: to }));

  /** An installation with data and no version was written by a release that knew none. */
  async function firstVersion(): Promise<number> {
    const holdsData = (await redis.exists(keys.tenants, keys.apiKeys, keys.events)) > 0;
    return holdsData ? UNMARKED_VERSION : version;
  }

  async function read(): Promise<Standing> {
    const text = (await redis.get(keys.schema)) ?? (await swap('', String(await firstVersion())));
    const [, from = '', to = from] = /^(\d{1,9})(?:>(\d{1,9}))?$/.exec(text) ?? [];
    if (from === '')
      throw new Error(
        `The key ${keys.schema} in Redis holds no schema version but "${text.slice(0, 40)}": restore it from a backup, or set it to the version of the release that wrote the data.`,
      );
    return { text, from: Number(from), to: Number(to) };
  }

  const newer = (found: number): string =>
    `The data in Redis (${keys.schema}) has schema version ${found}, and this release knows none above ${version}: start the release that wrote it or a later one, or restore a backup from before the upgrade.`;

  return {
    async open() {
      for (;;) {
        const { text, from, to } = await read();
        if (to > version) throw new Error(newer(to));
        if (from === version) return;
        const next = from + 1;
        if (to !== next) {
          await swap(text, `${from}>${next}`);
          continue;
        }
        const migrate = migrations[from];
        if (migrate === undefined)
          throw new Error(
            `The data in Redis (${keys.schema}) has schema version ${from}, which this release cannot bring to ${next}: start a release between the two first.`,
          );
        await migrate(redis, keys);
        await swap(text, String(next));
      }
    },
    async trouble() {
      const { from, to } = await read();
      if (to > version) return newer(to);
      if (from === version) return undefined;
      return `The data in Redis (${keys.schema}) was set back to schema version ${from}, and this process works with ${version}: start it again, its start brings the data up to date.`;
    },
  };
}

export interface SchemaWatch {
  readonly name: string;
  /** Why this process must not go on, as of the last check. */
  trouble(): string | undefined;
  /** Resolves with that reason as soon as there is one. */
  readonly mustStop: Promise<string>;
  stop(): Promise<void>;
}

/** Checks every 5 s that the data is still of this process's version. While Redis does not answer nothing is concluded. */
export function watchSchema(
  schema: Pick<Schema, 'trouble'>,
  onError: (error: Error) => void,
  timers: Pick<Timers, 'every'>,
  everyMs = CHECK_EVERY_MS,
): SchemaWatch {
  const { promise: mustStop, resolve } = Promise.withResolvers<string>();
  let found: string | undefined;
  let checking = false;
  const check = async () => {
    if (checking) return;
    checking = true;
    try {
      found = await schema.trouble();
      if (found !== undefined) resolve(found);
    } finally {
      checking = false;
    }
  };
  const end = timers.every(everyMs, () => void check().catch(onError));
  return { name: 'schema watch', trouble: () => found, mustStop, stop: async () => end() };
}
