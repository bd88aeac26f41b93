import type { Readable, Writable } from 'node:stream';

/** A stream that may be a terminal. */
export type Screen = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** Everything outside of the process that a command touches beside files; `main.ts` hands in the real ones. */
export interface Host {
  /** What a person types to get here: `pnpm jobs`, or `grsai-jobs` where it is installed. */
  readonly program: string;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Screen;
  readonly stderr: Screen;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly fetch: typeof fetch;
  /** Aborted by the first Ctrl-C. */
  readonly interrupt: AbortSignal;
  /** Ms since 1970. */
  readonly now: () => number;
  /** Rejects when the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** 0 to 1. */
  readonly random: () => number;
}
