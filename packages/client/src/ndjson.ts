import { linesOf } from './lines.ts';

/** One JSON value a line, with the text that it was read from; blank lines are none. Throws when a line is not JSON: it was cut. */
export async function* readNdjson<T>(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ value: T; text: string }, void, undefined> {
  for await (const { line } of linesOf(chunks, /\r?\n/))
    if (line.trim() !== '') yield { value: JSON.parse(line) as T, text: line };
}
