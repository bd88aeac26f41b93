/** How much of an answer is taken off the wire. What passes a limit costs the connection, and is reported as a {@link WireLimitError}. */
export interface WireLimits {
  /** The most that one answer may have, all together, in bytes. */
  readonly bytes: number;
  /**
   * What is not body: head, informational answers, chunk sizes and extensions, trailers. So many bytes, and as many again for each
   * byte of the body: a body in small chunks costs more, and one that is nearly all framing is an attack.
   */
  readonly framing: { readonly bytes: number; readonly perBodyByte: number };
  /** The body comes at this pace on average, from `afterMs` after the head on; time in which its reader holds it up does not count. */
  readonly rate?: { readonly bytesPerSecond: number; readonly afterMs: number };
}

/** What may stand before the body of any answer. */
export const HEAD = {
  /** Names and values of the headers; of the trailers as well. */
  headerBytes: 16 * 1024,
  /** All of it as it comes: status line, headers with their blanks, informational answers. */
  wireBytes: 32 * 1024,
  headers: 256,
  /** Answers with a status below 200 before the answer. */
  informational: 16,
} as const;

/**
 * Which limit was passed. `head`: bytes before the body; `headers`: their size or number; `informational`: answers before the answer; `framing`: bytes
 * that are not body; `bytes`: all together; `rate`: it came too slowly.
 */
export type WireLimit = 'head' | 'headers' | 'informational' | 'framing' | 'bytes' | 'rate';

/** An answer that was cut off by us, since it passed a limit on the wire. The message says which, with its number. */
export class WireLimitError extends Error {
  override readonly name = 'WireLimitError';
  readonly limit: WireLimit;

  constructor(limit: WireLimit, message: string) {
    super(message);
    this.limit = limit;
  }
}

/** How far an answer has come, in bytes that were read from the socket and given to the parser. */
export interface Progress {
  readonly arrived: number;
  readonly parsed: number;
  readonly body: number;
  readonly headEnded: boolean;
}

/** The limit that an answer has passed, if any. */
export function passed({ arrived, parsed, body, headEnded }: Progress, limits: WireLimits): WireLimitError | undefined {
  if (arrived > limits.bytes) return new WireLimitError('bytes', `the answer has more than ${limits.bytes} bytes on the wire`);
  if (!headEnded && parsed > HEAD.wireBytes)
    return new WireLimitError('head', `the answer has more than ${HEAD.wireBytes} bytes before its body`);
  const { bytes, perBodyByte } = limits.framing;
  if (parsed - body > bytes + body * perBodyByte)
    return new WireLimitError(
      'framing',
      `the answer has more than ${bytes} bytes of headers, chunk sizes, chunk extensions or trailers around ${body} bytes of body`,
    );
  return undefined;
}

/** Whether a body that has been awaited for `ms` is too slow. */
export function tooSlow(body: number, ms: number, { rate }: WireLimits): WireLimitError | undefined {
  if (rate === undefined || ms < rate.afterMs || body * 1000 >= rate.bytesPerSecond * ms) return undefined;
  return new WireLimitError('rate', `the answer came at less than ${rate.bytesPerSecond} bytes a second`);
}
