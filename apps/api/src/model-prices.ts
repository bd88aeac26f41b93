import { readFile, stat } from 'node:fs/promises';
import { type ModelPrice, PRICE_FILE_LIMITS, readPriceFile } from '@grsai-jobs/jobs';

/** So many problems of a file are said at once. */
const MOST_SHOWN = 10;

/**
 * The prices of the file that `MODEL_PRICES` names; without a name none. Throws an error that says what is wrong with it, line by line,
 * so that a service never runs with half of them.
 */
export async function loadModelPrices(path: string | undefined): Promise<ReadonlyMap<string, ModelPrice>> {
  if (path === undefined) return new Map();
  const read = readPriceFile(await textOf(path));
  if ('prices' in read) return read.prices;
  const { problems } = read;
  const more = problems.length - MOST_SHOWN;
  throw new Error(
    [
      `MODEL_PRICES: the file has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:`,
      ...problems.slice(0, MOST_SHOWN).map((problem) => `  ${problem}`),
      ...(more > 0 ? [`  and ${more} more`] : []),
    ].join('\n'),
  );
}

async function textOf(path: string): Promise<string> {
  const refuse = (what: string, cause?: unknown) => new Error(`MODEL_PRICES: ${what}`, { cause });
  try {
    const facts = await stat(path);
    if (!facts.isFile()) throw refuse('names no file; write the path of a JSON file of prices');
    if (facts.size > PRICE_FILE_LIMITS.bytes)
      throw refuse(`the file has ${facts.size} bytes; at most ${PRICE_FILE_LIMITS.bytes} are read`);
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readFile(path));
  } catch (error) {
    if (error instanceof TypeError) throw refuse('the file is not UTF-8; save it as UTF-8');
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    const why = code === 'ENOENT' ? 'there is no file at this path' : `the file cannot be read (${code})`;
    throw refuse(`${why}; a path that does not begin with / counts from the folder in which the API was started`, error);
  }
}
