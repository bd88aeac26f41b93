import type { Hash } from 'node:crypto';
import { type BatchRequest, LIMITS, overDefaults } from '@grsai-jobs/jobs';
import type { Slices } from '@grsai-jobs/runtime';
import type { z } from 'zod';
import type { RawItem } from '../use-cases/read-item.ts';
import { createLineSplitter, type Line, type LineLimits } from './line-splitter.ts';
import { Problem } from './problem.ts';
import { isBlankText, parseLongText, parseStrictText, utf8Of } from './strict-json.ts';

/** Lines that were joined on their way: the commonest way to send a good file wrong. */
const RUNS_ON = 'Each job needs a line of its own (curl keeps line ends with --data-binary, and drops them with -d)';

/** What is on its way to the store beside the line that is read: two chunks (batch-writer.ts). */
const WRITER_BYTES = 2 * 1024 * 1024;

/** A longer line is read in slices, between which other requests have their turn. */
const LONG_LINE = 128 * 1024;

const TOLD = { what: 'The line', runsOn: RUNS_ON };

/**
 * The text of a line. `null` for a blank one.
 * @throws Problem `malformed_json` when it is not UTF-8: then the whole file is in another encoding.
 */
function textOf({ number, bytes }: Line): Buffer | null {
  const text = utf8Of(bytes);
  if (text === null) throw new Problem('malformed_json', `Line ${number} is not valid UTF-8. Nothing was accepted.`);
  return isBlankText(text) ? null : text;
}

function malformed({ number, bytes }: Line, error: unknown): RawItem {
  if (!(error instanceof Problem)) throw error;
  return { line: number, bytes: bytes.length, malformed: error.message };
}

function* readLines(lines: readonly Line[]): Generator<RawItem> {
  for (const line of lines) {
    const text = textOf(line);
    if (text === null) continue;
    try {
      yield { line: line.number, bytes: line.bytes.length, value: parseStrictText(text, TOLD) };
    } catch (error) {
      yield malformed(line, error);
    }
  }
}

async function* readLongLine(line: Line, slices: Slices): AsyncGenerator<RawItem[]> {
  const text = textOf(line);
  if (text === null) return;
  yield [
    await parseLongText(text, slices, TOLD).then(
      (value) => ({ line: line.number, bytes: line.bytes.length, value }),
      (error: unknown) => malformed(line, error),
    ),
  ];
}

/** Lines in their order; of those that one chunk brings no more than the first can be long. */
async function* readChunk(lines: readonly Line[], slices: Slices): AsyncGenerator<Iterable<RawItem>> {
  const [first, ...others] = lines;
  if (first === undefined || first.bytes.length <= LONG_LINE) return yield readLines(lines);
  yield* readLongLine(first, slices);
  yield readLines(others);
}

/** The items of an NDJSON body, and `hold` gets what it takes in memory, of how many bytes that were given. Blank lines are passed over, but count as lines. */
export async function* ndjsonItems(
  chunks: AsyncIterable<Uint8Array>,
  slices: Slices,
  limits: LineLimits = LIMITS.batch,
  hold: (held: number, given: number) => void = () => undefined,
): AsyncGenerator<Iterable<RawItem>> {
  const splitter = createLineSplitter(limits);
  let given = 0;
  for await (const chunk of chunks) {
    const lines = splitter.push(chunk);
    given += chunk.length;
    hold(WRITER_BYTES + splitter.held(), given);
    yield* readChunk(lines, slices);
  }
  yield* readChunk(splitter.end(), slices);
}

/**
 * The items of the JSON form, each over its defaults; `line` is the place in the list, from 1.
 * @throws Problem `body_too_large` when large defaults make far more of the body than was sent.
 */
export async function* jsonItems(form: Pick<z.output<typeof BatchRequest>, 'defaults' | 'items'>): AsyncGenerator<RawItem[]> {
  let total = 0;
  for (const [i, item] of form.items.entries()) {
    const value = overDefaults(form.defaults, item);
    const bytes = JSON.stringify(value).length;
    total += bytes;
    if (total > LIMITS.batch.bytes)
      throw new Problem('body_too_large', `The items with their defaults are limited to ${LIMITS.batch.bytes} bytes.`);
    yield [{ line: i + 1, bytes, value }];
  }
}

/** The same bytes, taken into a fingerprint on the way. */
export async function* hashed(chunks: AsyncIterable<Uint8Array>, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}
