import type { Redis } from 'ioredis';

/**
 * Hears what is published on a channel; several may share a connection. Resolves when listening has begun.
 * @param o.redis a connection that listens takes no other commands.
 * @param o.onListening called when listening begins, and again each time the connection came back: messages may have been missed.
 * @param o.onDeaf called each time the connection is lost.
 */
export async function hear(o: {
  redis: Redis;
  channel: string;
  onMessage: (message: string) => void;
  onListening: () => void;
  onDeaf?: () => void;
  onError: (error: Error) => void;
}): Promise<void> {
  o.redis.on('message', (channel: string, message: string) => {
    if (channel === o.channel) o.onMessage(message);
  });
  o.redis.on('ready', () => {
    o.redis.subscribe(o.channel).then(o.onListening, o.onError);
  });
  o.redis.on('close', () => o.onDeaf?.());
  await o.redis.subscribe(o.channel);
  o.onListening();
}
