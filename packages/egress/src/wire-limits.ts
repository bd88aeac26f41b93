import type { WireLimitError, WireLimits } from '@grsai-jobs/grsai/wire-guard';
import { EgressError, type EgressErrorCode } from './errors.ts';

const KIB = 1024;

/** A longer answer of a receiver closes the connection: reading on would cost more than a new one. */
export const DRAIN_BYTES = 64 * KIB;

/** An answer of a receiver. Once there is a status the rest is only shown to the tenant, so it gets little time. */
export const RECEIVER: WireLimits = {
  bytes: 256 * KIB,
  framing: { bytes: 64 * KIB, perBodyByte: 1 / 8 },
  rate: { bytesPerSecond: 256, afterMs: 5_000 },
};

/** A file of so many bytes. A gibibyte at this rate would not come within any limit of time. */
export const fileLimits = (maxBytes: number): WireLimits => ({
  bytes: Math.ceil(maxBytes * 1.125) + 64 * KIB,
  framing: { bytes: 64 * KIB, perBodyByte: 1 / 8 },
  rate: { bytesPerSecond: KIB, afterMs: 30_000 },
});

/** Only a file that is too large will be so the next time as well. */
const CODES: Readonly<Record<WireLimitError['limit'], EgressErrorCode>> = {
  bytes: 'too_large',
  rate: 'timeout',
  framing: 'connect',
  head: 'connect',
  headers: 'connect',
  informational: 'connect',
};

export const asEgress = (error: WireLimitError): EgressError =>
  new EgressError(CODES[error.limit], error.message, { phase: 'response', cause: error });
