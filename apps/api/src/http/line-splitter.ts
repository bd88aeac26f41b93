import { Problem } from './problem.ts';

/** One line of a body, without its end; `number` counts from 1, blank lines too. */
export interface Line {
  number: number;
  bytes: Uint8Array;
}

export interface LineLimits {
  lines: number;
  lineBytes: number;
}

const LF = 10;
const NOTHING: Uint8Array = new Uint8Array();

/**
 * Cuts a stream of bytes into lines, wherever its chunks end. Holds no more than one unfinished line.
 * @throws Problem `body_too_large` for a line too long, as soon as that is known, and for a line too many.
 */
export function createLineSplitter(limits: LineLimits): { push(chunk: Uint8Array): Line[]; end(): Line[]; held(): number } {
  let number = 0;
  /** The unfinished line, in its first `size` bytes. */
  let held = NOTHING;
  let size = 0;

  function checkCount(most: number): void {
    if (number >= most)
      throw new Problem('body_too_large', `A batch is limited to ${limits.lines} lines. Send the rest as another batch.`);
  }

  function keep(part: Uint8Array): void {
    if (part.length === 0) return;
    if (size === 0) checkCount(limits.lines);
    const grown = size + part.length;
    if (grown > limits.lineBytes)
      throw new Problem(
        'body_too_large',
        `Line ${number + 1} is longer than ${limits.lineBytes} bytes. Send large images as URLs.`,
      );
    if (size === 0) held = part;
    else {
      // Not kept in parts: each takes over a hundred bytes, and a sender may make them of one byte.
      if (grown > held.length) held = Buffer.concat([held], Math.max(grown, Math.min(2 * size, limits.lineBytes)));
      held.set(part, size);
    }
    size = grown;
  }

  function take(): Line {
    // Empty lines may follow the last one, but not without end.
    checkCount(2 * limits.lines);
    const bytes = held.subarray(0, size);
    held = NOTHING;
    size = 0;
    number += 1;
    return { number, bytes };
  }

  return {
    push(chunk) {
      const lines: Line[] = [];
      let start = 0;
      for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, start)) {
        keep(chunk.subarray(start, end));
        lines.push(take());
        start = end + 1;
      }
      keep(chunk.subarray(start));
      return lines;
    },
    /** Bytes of the unfinished line. */
    held: () => size,
    end: () => (size === 0 ? [] : [take()]),
  };
}
