import type { Dispatcher } from 'undici';
import type { Limits } from './deadline.ts';
import type { WireLimits } from './wire-guard/index.ts';

/** The two nodes of upstream (upstream.md §2): global, China. */
export const BASE_URLS: readonly string[] = ['https://grsaiapi.com', 'https://grsai.dakka.com.cn'];

/** All time limits, in milliseconds. */
export interface Timeouts {
  /** Until a connection stands, DNS and TLS included. */
  readonly connectMs: number;
  /** An upload without progress. */
  readonly uploadIdleMs: number;
  /** An asynchronous submit: from the last byte of the body to the end of the answer. */
  readonly submitAnswerMs: number;
  /** A synchronous call: from the last byte of the body to the first of the answer. */
  readonly firstByteMs: number;
  /** A synchronous call: between two chunks of the answer. */
  readonly idleMs: number;
  /** A synchronous call, in all. */
  readonly totalMs: number;
  /** A result query and the side calls, in all. */
  readonly queryMs: number;
  /** A download: to the first byte. */
  readonly downloadFirstByteMs: number;
  /** A download: between two chunks. */
  readonly downloadIdleMs: number;
  /** A download, in all. */
  readonly downloadTotalMs: number;
}

export const TIMEOUTS: Timeouts = {
  connectMs: 5_000,
  uploadIdleMs: 10_000,
  submitAnswerMs: 15_000,
  firstByteMs: 120_000,
  idleMs: 60_000,
  totalMs: 300_000,
  queryMs: 10_000,
  downloadFirstByteMs: 20_000,
  downloadIdleMs: 30_000,
  downloadTotalMs: 600_000,
};

/** Gets one line for each exchange: path, base, status, outcome, duration; never a body or a key. A pino logger fits. */
export interface GrsaiLogger {
  debug(fields: Record<string, unknown>, message: string): void;
}

export interface GrsaiOptions {
  /** The key, sent as a bearer token. Never printed. */
  readonly apiKey: string;
  /** Nodes in the order they are tried, without credentials; default `BASE_URLS`. */
  readonly baseUrls?: readonly string[] | undefined;
  /** Time limits that differ from `TIMEOUTS`. */
  readonly timeouts?: Partial<Timeouts> | undefined;
  /**
   * Used for every call instead of the two dispatchers of the client's own, and not closed by it. Proxy variables of the
   * environment are ignored; a proxy is set here. One that keeps connections makes some lost submits look unknown (design.md §4).
   */
  readonly dispatcher?: Dispatcher | undefined;
  readonly logger?: GrsaiLogger | undefined;
}

/** On every call. */
export interface CallOptions {
  /** Ends the call; `outcome` of the error says what may have been left behind. */
  readonly signal?: AbortSignal | undefined;
  /**
   * What stands for the words of the caller in place of the body: any JSON value with them. Needed where the body is a stream, or holds
   * more or less than a caller wrote. Upstream may repeat them in a refusal, and there they decide nothing.
   */
  readonly supplied?: unknown;
}

/** Which limits a call has. */
export type Pace = 'submit' | 'synchronous' | 'query' | 'download';

export function limitsFor(pace: Pace, t: Timeouts): Limits {
  const start = { connectMs: t.connectMs, uploadIdleMs: t.uploadIdleMs };
  switch (pace) {
    case 'submit':
      return { ...start, answerMs: t.submitAnswerMs };
    case 'synchronous':
      return { ...start, answerMs: t.firstByteMs, idleMs: t.idleMs, totalMs: t.totalMs };
    case 'query':
      return { ...start, answerMs: t.queryMs, totalMs: t.queryMs };
    case 'download':
      return { ...start, answerMs: t.downloadFirstByteMs, idleMs: t.downloadIdleMs, totalMs: t.downloadTotalMs };
  }
}

const MIB = 1024 * 1024;

/**
 * What an answer may have on the wire. A stream of small events has as much framing as body, heartbeats more. An answer of JSON is read up to 64 MiB; a
 * file is as large as it is. There is no pace: a model may think for long, and the limits of time hold.
 */
export const wireLimitsFor = (pace: Pace): WireLimits => ({
  bytes: pace === 'download' ? Number.POSITIVE_INFINITY : 72 * MIB,
  framing: { bytes: MIB, perBodyByte: 1 },
});
