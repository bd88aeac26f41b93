import { linesOf } from './lines.ts';

/** One JSON value a line; blank lines are none. Throws when a line is not JSON: it was cut. */
export async function* readNdjson<T>(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<T, void, undefined> {
  for await (const { line } of linesOf(chunks, /\r?\n/)) if (line.trim() !== '') yield JSON.parse(line) as T;
}
