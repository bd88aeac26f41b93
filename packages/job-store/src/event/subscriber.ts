import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { createKeys, type Keys } from '../redis/keys.ts';

/** Channels by which processes notify each other. Messages are hints only: what they are about stands in Redis. */
export type Channel = keyof Pick<Keys, 'cancels' | 'revoked' | 'secretChanges' | 'settings'>;

export interface Subscriber {
  readonly name: string;
  stop(): Promise<void>;
}

const PING_EVERY_MS = 2000;
const PONG_WITHIN_MS = 2000;

/**
 * Receives messages, and knows when it may miss some: a connection that is silently gone is found by a ping within seconds.
 * @param o.redis a connection for this alone, of the role that waits; the caller closes it.
 * @param o.onSubscribed from now on every message arrives; those before may have been missed.
 * @param o.onDisconnected messages may be missed until the next `onSubscribed`.
 */
export function subscribe(o: {
  redis: Redis;
  prefix: string;
  on: Partial<Record<Channel, (message: string) => void>>;
  onSubscribed: () => void;
  onDisconnected: () => void;
  onError: (error: Error) => void;
  pingEveryMs?: number;
}): Subscriber {
  const keys = createKeys(o.prefix);
  const names = Object.keys(o.on) as Channel[];
  const handlers = new Map(names.map((name) => [keys[name], o.on[name]]));
  o.redis.on('message', (channel: string, message: string) => handlers.get(channel)?.(message));
  o.redis.on('close', o.onDisconnected);
  const resubscribe = () => {
    o.redis.subscribe(...handlers.keys()).then(o.onSubscribed, o.onError);
  };
  o.redis.on('ready', resubscribe);
  if (o.redis.status === 'ready') resubscribe();

  let waiting = false;
  const timer = setInterval(() => {
    if (waiting || o.redis.status !== 'ready') return;
    waiting = true;
    const silence = sleep(PONG_WITHIN_MS, false, { ref: false });
    const pong = o.redis.ping().then(
      () => true,
      () => false,
    );
    void Promise.race([pong, silence]).then((answered) => {
      waiting = false;
      // A broken link makes a new connection; `close` comes with it.
      if (!answered && o.redis.status === 'ready') o.redis.disconnect(true);
    });
  }, o.pingEveryMs ?? PING_EVERY_MS);
  return {
    name: 'subscriber',
    stop: async () => clearInterval(timer),
  };
}
