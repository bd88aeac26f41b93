import type { Service } from '@grsai-jobs/runtime';

/** Uses are written so often, all of them at once. */
export const NOTE_EVERY_MS = 30_000;

/** Notes when keys were last used. */
export interface LastUsed extends Service {
  used(keyId: string): void;
}

/**
 * It is no more than a hint for operators: no request waits for it, and what cannot be written is let go.
 * @param note takes ids of keys and when they were used
 */
export function createLastUsed(note: (uses: ReadonlyMap<string, number>) => Promise<void>, clock: { now(): number }): LastUsed {
  let uses = new Map<string, number>();
  async function write(): Promise<void> {
    if (uses.size === 0) return;
    const noted = uses;
    uses = new Map();
    await note(noted).catch(() => undefined);
  }
  const timer = setInterval(() => void write(), NOTE_EVERY_MS).unref();
  return {
    name: 'last used keys',
    used: (keyId) => void uses.set(keyId, clock.now()),
    stop: async () => {
      clearInterval(timer);
      await write();
    },
  };
}
