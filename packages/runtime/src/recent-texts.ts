import { LRUCache } from 'lru-cache';
import type { Timers } from './timers.ts';

/** What an entry takes beside its text, about. */
const ENTRY_BYTES = 256;

/**
 * Texts by key that a process keeps for a while, within a number of bytes: beyond it the oldest go first. They are texts, and not what they say, since
 * the garbage collector copies and looks through objects as long as they live, and nobody knows how large they are.
 */
export interface RecentTexts {
  /** As the newest. One that alone is too large is not kept. */
  keep(key: string, text: string): void;
  forget(key: string): void;
  get(key: string): string | undefined;
  /** The oldest first. */
  all(): [key: string, text: string][];
}

export function createRecentTexts(o: { keepMs: number; mostBytes: number; timers: Pick<Timers, 'elapsed'> }): RecentTexts {
  const texts = new LRUCache<string, string>({
    maxSize: o.mostBytes,
    sizeCalculation: (text, key) => Buffer.byteLength(text) + key.length + ENTRY_BYTES,
    ttl: o.keepMs,
    // By each question, since between two of them no timer of the machine counts.
    ttlResolution: 0,
    perf: { now: o.timers.elapsed },
  });
  return {
    keep: (key, text) => void texts.set(key, text),
    forget: (key) => void texts.delete(key),
    get: (key) => texts.peek(key),
    all: () => {
      texts.purgeStale();
      return Array.from(texts.rentries(), ([key = '', text = '']) => [key, text]);
    },
  };
}
