import type { Gate } from '../time/process-time.ts';
import type { VirtualTime } from '../time/virtual-time.ts';

/** What another machine makes of a request. */
export type Answered<T> =
  /** It answers after `inMs`, by a value or by an error that the caller throws. */
  | { readonly kind: 'answer'; readonly inMs: number; readonly give: () => T }
  /** Nothing comes back. The caller's own limit ends it. */
  | { readonly kind: 'silence' };

/** What `act` comes to, to be given later. */
export function answerOf<T>(act: () => T): () => T {
  try {
    const value = act();
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

/**
 * One request of a process to another machine: it arrives there after a while whatever becomes of its sender, something happens there, and
 * the answer comes back through the gate.
 *
 * @param o.limitMs how long the sender waits for an answer.
 * @param o.broken what the sender throws when its signal, or that limit, ends the request.
 */
export function request<T>(o: {
  time: VirtualTime;
  gate: Gate;
  thereInMs: number;
  arrive: () => Answered<T>;
  signal: AbortSignal | undefined;
  limitMs: number;
  broken: (by: 'signal' | 'limit') => Error;
}): Promise<T> {
  return new Promise((resolve, reject) => {
    let over = false;
    const end = (settle: () => void) => {
      if (over) return;
      over = true;
      endLimit();
      o.signal?.removeEventListener('abort', onAbort);
      settle();
    };
    const onAbort = () => end(() => reject(o.broken('signal')));
    const endLimit = o.time.after(o.limitMs, () => o.gate.enter(() => end(() => reject(o.broken('limit')))), null, o.gate);
    if (o.signal?.aborted) return onAbort();
    o.signal?.addEventListener('abort', onAbort, { once: true });
    o.time.after(o.thereInMs, () => {
      const answered = o.arrive();
      if (answered.kind === 'silence') return;
      o.time.after(
        answered.inMs,
        () =>
          o.gate.enter(() =>
            end(() => {
              try {
                resolve(answered.give());
              } catch (error) {
                reject(error);
              }
            }),
          ),
        null,
        o.gate,
      );
    });
  });
}
