import { expect, test } from 'vitest';
import { bytesInTime } from './file-bytes.ts';

const UNTIL = 10 * 60_000;

/** The pieces of a file, of which each takes so long to be read. */
async function readAll(pieceMs: number): Promise<string> {
  const clock = { at: 0, now: () => clock.at };
  async function* body() {
    for (const piece of ['a', 'b', 'c']) {
      clock.at += pieceMs;
      yield Buffer.from(piece);
    }
  }
  let text = '';
  for await (const piece of bytesInTime(body(), { clock, until: UNTIL })) text += Buffer.from(piece).toString();
  return text;
}

test('when the lines of a file are read in time then all of them come', async () => {
  expect(await readAll(60_000)).toBe('abc');
});

test('when they are not then nothing comes of them, before their batch counts as one of which nobody reads the lines', async () => {
  await expect(readAll(UNTIL / 3)).rejects.toMatchObject({ code: 'unavailable' });
});

test('when the store breaks off then the file is refused for now', async () => {
  // biome-ignore lint/correctness/useYield: it breaks off before its first byte
  async function* broken(): AsyncGenerator<Uint8Array> {
    throw new Error('reset');
  }
  const bytes = bytesInTime(broken(), { clock: { now: () => 0 }, until: UNTIL });
  await expect(bytes.next()).rejects.toMatchObject({ code: 'unavailable' });
});
