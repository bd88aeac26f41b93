import type { Redis } from '@grsai-jobs/redis';
import { createKeys } from '../layout/keys.ts';
import { readStreamLine, type StreamLine } from './streams.ts';

export interface StreamWatcher {
  line(line: StreamLine): void;
  /** Lines may have been missed until now: what is kept has them. It comes once at least. */
  missed(): void;
}

export interface StreamFeed {
  /** Watches the pieces of a job's answer from now on. Answers how to stop. */
  watch(jobId: string, watcher: StreamWatcher): () => void;
}

/**
 * Hands what is published of answers to those who watch: however many they are, and however many jobs, Redis sees one connection, and a channel
 * for each job.
 * @param o.redis a connection that subscribes, which may be shared with a `Subscriber`
 */
export function createStreamFeed(o: {
  redis: Pick<Redis, 'on' | 'subscribe' | 'status'> & { unsubscribe(...channels: string[]): Promise<unknown> };
  prefix: string;
  onError: (error: Error) => void;
}): StreamFeed {
  const { jobPart } = createKeys(o.prefix);
  const watchers = new Map<string, Set<StreamWatcher>>();

  function subscribe(channels: readonly string[]): void {
    const subscribed = () => {
      for (const channel of channels) for (const watcher of watchers.get(channel) ?? []) watcher.missed();
    };
    o.redis.subscribe(...channels).then(subscribed, o.onError);
  }

  o.redis.on('message', (channel, message) => {
    const ofJob = watchers.get(channel);
    const line = ofJob && readStreamLine(message);
    if (line) for (const watcher of [...ofJob]) watcher.line(line);
  });
  o.redis.on('ready', () => {
    if (watchers.size > 0) subscribe([...watchers.keys()]);
  });

  return {
    watch(jobId, watcher) {
      const channel = jobPart(jobId, 'stream');
      const ofJob = watchers.get(channel) ?? new Set();
      const isFirst = ofJob.size === 0;
      watchers.set(channel, ofJob.add(watcher));
      if (isFirst) subscribe([channel]);
      else queueMicrotask(() => watcher.missed());
      return () => {
        if (!ofJob.delete(watcher) || ofJob.size > 0) return;
        watchers.delete(channel);
        o.redis.unsubscribe(channel).catch(o.onError);
      };
    },
  };
}
