import type { Redis } from './client.ts';

/** Which server takes our writes, and in which of its histories: another one of either may lack what was written last. */
export interface Primary {
  /** As it was asked for last; asked for anew after each loss of the connection. */
  identity(): Promise<string>;
  /** Asks now. */
  ask(): Promise<string>;
  /** Calls `changed` whenever an answer is another than the one before. */
  onChange(changed: (now: string, before: string) => void): void;
}

const lineOf = (info: string, name: string): string => new RegExp(`^${name}:([0-9a-f]+)\\r?$`, 'm').exec(info)?.[1] ?? '';

/**
 * `run_id` changes with each start of a server, `master_replid` when one becomes the primary, and also when the first replica of a primary comes
 * (*measured*): then it is another although nothing was forgotten, and nothing else would tell.
 */
const identityIn = (info: string): string => `${lineOf(info, 'run_id')} ${lineOf(info, 'master_replid')}`;

/** By INFO over this connection. */
export function createPrimary(redis: Pick<Redis, 'info' | 'on'>): Primary {
  const listeners: ((now: string, before: string) => void)[] = [];
  let known: string | undefined;
  let asked: Promise<string> | undefined;
  let last: string | undefined;
  // Whoever answers the next connection may be another.
  redis.on('close', () => {
    known = undefined;
    asked = undefined;
  });

  async function ask(): Promise<string> {
    const now = identityIn(await redis.info('server', 'replication'));
    known = now;
    const before = last;
    last = now;
    if (before !== undefined && before !== now) for (const changed of listeners) changed(now, before);
    return now;
  }

  async function identity(): Promise<string> {
    if (known !== undefined) return known;
    asked ??= ask();
    const own = asked;
    try {
      return await own;
    } finally {
      if (asked === own) asked = undefined;
    }
  }

  // Who listens learns of a change although nothing is asked for at the moment.
  redis.on('ready', () => {
    if (listeners.length > 0) identity().catch(() => undefined);
  });

  return { ask, identity, onChange: (changed) => void listeners.push(changed) };
}
