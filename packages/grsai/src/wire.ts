import type { Transport } from './transport.ts';

/** What each part of the client needs to call upstream. */
export interface Wire {
  readonly transport: Transport;
  /** Blanks the key of this client in a text that came from upstream. */
  readonly scrub: (text: string) => string;
}
