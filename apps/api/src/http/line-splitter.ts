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

/**
 * Cuts a stream of bytes into lines, wherever its chunks end. Holds no more than one unfinished line.
 * @throws Problem `body_too_large` for a line too long, as soon as that is known, and for a line too many.
 */
export function createLineSplitter(limits: LineLimits): { push(chunk: Uint8Array): Line[]; end(): Line[] } {
  let number = 0;
  let parts: Uint8Array[] = [];
  let size = 0;

  function checkCount(most: number): void {
    if (number >= most)
      throw new Problem('body_too_large', `A batch is limited to ${limits.lines} lines. Send the rest as another batch.`);
  }

  function keep(part: Uint8Array): void {
    if (part.length === 0) return;
    if (size === 0) checkCount(limits.lines);
    size += part.length;
    if (size > limits.lineBytes)
      throw new Problem(
        'body_too_large',
        `Line ${number + 1} is longer than ${limits.lineBytes} bytes. Send large images as URLs.`,
      );
    parts.push(part);
  }

  function take(): Line {
    // Empty lines may follow the last one, but not without end.
    checkCount(2 * limits.lines);
    const [only = new Uint8Array()] = parts;
    const bytes = parts.length < 2 ? only : Buffer.concat(parts, size);
    parts = [];
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
    end: () => (size === 0 ? [] : [take()]),
  };
}
