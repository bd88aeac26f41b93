import { constants, createReadStream } from 'node:fs';
import { access, open, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Batch, BatchResult } from '@grsai-jobs/client';
import { OUTAGE_MS } from './client.ts';
import type { Context } from './context.ts';
import { usage } from './exit.ts';
import { count } from './output/format.ts';

/** Tells that a file cannot be written before anything is paid for, not after. */
export async function checkWritable(file: string): Promise<void> {
  const found = await stat(file).catch(() => null);
  if (found?.isDirectory()) throw usage(`${file} is a folder`);
  await access(dirname(file), constants.W_OK).catch((error: Error) => {
    throw usage(`${file} cannot be written: ${error.message}`);
  });
}

/** Which lines are saved; all of them when nothing is said. */
interface Chosen {
  status?: BatchResult['status'] | undefined;
  afterLine?: number | undefined;
}

/**
 * Saves the results of an ended batch. They come into `<file>.<batch>-<round>.part`, and get their name when they are
 * whole; a call that was broken off goes on after the last whole line of that part. Answers the number of lines.
 */
export async function saveResults(context: Context, batch: Batch, file: string, o: Chosen = {}): Promise<number> {
  const { client, progress } = context;
  const { status, afterLine = 0 } = o;
  // Lines that were chosen in another way are no beginning of these.
  const part = `${file}.${[batch.id, batch.round, status, afterLine || undefined].filter((word) => word !== undefined).join('-')}.part`;
  await using handle = await open(part, 'a+');
  const kept = await wholeLines(part);
  await handle.truncate(kept.bytes);
  let lines = kept.lines;
  if (lines > 0) progress.note(`${part} has ${count(lines)} lines; it goes on after line ${kept.last}.`);
  const rows = client.batches.resultLines(batch.id, { status, after_line: Math.max(kept.last, afterLine), outageMs: OUTAGE_MS });
  for await (const chunk of inChunks(rows)) {
    await handle.appendFile(chunk.text);
    lines += chunk.lines;
    progress.update(`Results: ${count(lines)} lines`, { done: lines, total: batch.counts.total });
  }
  await rename(part, file);
  return lines;
}

const CHUNK = 64 * 1024;

/** Writes few and large: a results file has up to 50 000 lines. */
async function* inChunks(rows: AsyncIterable<string>): AsyncGenerator<{ text: string; lines: number }> {
  let text = '';
  let lines = 0;
  for await (const row of rows) {
    text += `${row}\n`;
    lines += 1;
    if (text.length < CHUNK) continue;
    yield { text, lines };
    text = '';
    lines = 0;
  }
  if (lines > 0) yield { text, lines };
}

/** What of a part is whole: its bytes and lines, and the number in its last line. */
async function wholeLines(part: string): Promise<{ bytes: number; lines: number; last: number }> {
  let at = 0;
  let lines = 0;
  let previous = 0;
  let bytes = 0;
  for await (const chunk of createReadStream(part) as AsyncIterable<Buffer>) {
    for (let found = chunk.indexOf(10); found !== -1; found = chunk.indexOf(10, found + 1)) {
      previous = bytes;
      bytes = at + found + 1;
      lines += 1;
    }
    at += chunk.length;
  }
  if (lines === 0) return { bytes: 0, lines: 0, last: 0 };
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(part, { start: previous, end: bytes - 1 }) as AsyncIterable<Buffer>)
    chunks.push(chunk);
  const { line } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { line: number };
  return { bytes, lines, last: line };
}
