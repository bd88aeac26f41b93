import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { createKeys, type Keys } from '../redis/keys.ts';

/** What one process tells others. No more than hints: what they are about stands in Redis. */
export type Channel = keyof Pick<Keys, 'cancels' | 'revoked' | 'secretChanges' | 'settings'>;

export interface Listener {
  readonly name: string;
  stop(): Promise<void>;
}

const PING_EVERY_MS = 2000;
const PONG_WITHIN_MS = 2000;

/**
 * Hears messages, and knows when it does not: a connection that is silently gone is found by a ping within seconds.
 * @param o.redis a connection for listening, of the role that waits; the caller closes it.
 * @param o.onListening from now on every message arrives; those before may have been missed.
 * @param o.onDeaf messages may be missed until the next `onListening`.
 */
export function hearSignals(o: {
  redis: Redis;
  prefix: string;
  on: Partial<Record<Channel, (message: string) => void>>;
  onListening: () => void;
  onDeaf: () => void;
  onError: (error: Error) => void;
  pingEveryMs?: number;
}): Listener {
  const keys = createKeys(o.prefix);
  const names = Object.keys(o.on) as Channel[];
  const heard = new Map(names.map((name) => [keys[name], o.on[name]]));
  o.redis.on('message', (channel: string, message: string) => heard.get(channel)?.(message));
  o.redis.on('close', o.onDeaf);
  const subscribe = () => {
    o.redis.subscribe(...heard.keys()).then(o.onListening, o.onError);
  };
  o.redis.on('ready', subscribe);
  if (o.redis.status === 'ready') subscribe();

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
    name: 'listener',
    stop: async () => clearInterval(timer),
  };
}
