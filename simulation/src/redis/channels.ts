import type { Bytes } from './bytes.ts';

/** Somebody who hears of messages. */
export type Listener = (channel: Bytes, message: Bytes) => void;

/** Who has subscribed to which channels. */
export class Channels {
  readonly #listeners = new Map<Bytes, Set<Listener>>();

  subscribe(channel: Bytes, listener: Listener): void {
    const there = this.#listeners.get(channel);
    if (there === undefined) this.#listeners.set(channel, new Set([listener]));
    else there.add(listener);
  }

  unsubscribe(channel: Bytes, listener: Listener): void {
    this.#listeners.get(channel)?.delete(listener);
  }

  /** Answers how many have received it. */
  publish(channel: Bytes, message: Bytes): number {
    const listeners = [...(this.#listeners.get(channel) ?? [])];
    for (const listener of listeners) listener(channel, message);
    return listeners.length;
  }

  clear(): void {
    this.#listeners.clear();
  }
}
