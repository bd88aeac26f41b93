import type { Redis } from '@grsai-jobs/redis';
import { createKeys, type Keys } from '../layout/keys.ts';
import type { Timers } from '../timers.ts';

/** Channels by which processes notify each other. Messages are hints only: what they are about stands in Redis. */
export type Channel = keyof Pick<Keys, 'cancels' | 'revoked' | 'secretChanges' | 'settings'>;

export interface Subscriber {
  readonly name: string;
  stop(): Promise<void>;
}

const PING_EVERY_MS = 2000;
const PONG_WITHIN_MS = 2000;

export interface Subscription {
  /** A connection for this alone, of the role that waits; the caller closes it. */
  redis: Redis;
  prefix: string;
  on: Partial<Record<Channel, (message: string) => void>>;
  /** This process of the API: whoever publishes on its channel learns whether it lives. */
  presence?: string;
  /** From now on every message arrives; those before may have been missed. */
  onSubscribed: () => void;
  /** Messages may be missed until the next `onSubscribed`. */
  onDisconnected: () => void;
  onError: (error: Error) => void;
  timers: Pick<Timers, 'every' | 'after'>;
  pingEveryMs?: number;
}

/** Receives messages, and knows when it may miss some: a connection that is silently gone is found by a ping within seconds. */
export function subscribe(o: Subscription): Subscriber {
  const keys = createKeys(o.prefix);
  const names = Object.keys(o.on) as Channel[];
  const handlers = new Map(names.map((name) => [keys[name], o.on[name]]));
  const presence = o.presence === undefined ? [] : [keys.apiChannel(o.presence)];
  o.redis.on('message', (channel: string, message: string) => handlers.get(channel)?.(message));
  o.redis.on('close', o.onDisconnected);
  const resubscribe = () => {
    o.redis.subscribe(...handlers.keys(), ...presence).then(o.onSubscribed, o.onError);
  };
  o.redis.on('ready', resubscribe);
  if (o.redis.status === 'ready') resubscribe();

  let waiting = false;
  const end = o.timers.every(o.pingEveryMs ?? PING_EVERY_MS, () => {
    if (waiting || o.redis.status !== 'ready') return;
    waiting = true;
    const ended = (answered: boolean) => {
      if (!waiting) return;
      waiting = false;
      endWait();
      // A broken link makes a new connection; `close` comes with it.
      if (!answered && o.redis.status === 'ready') o.redis.disconnect(true);
    };
    const endWait = o.timers.after(PONG_WITHIN_MS, () => ended(false));
    o.redis.ping().then(
      () => ended(true),
      () => ended(false),
    );
  });
  return {
    name: 'subscriber',
    stop: async () => end(),
  };
}
