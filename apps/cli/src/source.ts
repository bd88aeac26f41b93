import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { usage } from './exit.ts';
import type { Host } from './host.ts';

/** A file of NDJSON, a pipe, or stdin (`-`), to be read once. */
export interface Source {
  /** Nobody knows how many come from stdin or a pipe. */
  bytes: number | undefined;
  chunks: AsyncIterable<Uint8Array>;
}

export async function openSource({ stdin }: Pick<Host, 'stdin'>, file: string): Promise<Source> {
  if (file === '-') return { bytes: undefined, chunks: stdin };
  const found = await stat(file).catch((error: Error) => {
    throw usage(`${file} cannot be read: ${error.message}`);
  });
  if (found.isDirectory()) throw usage(`${file} is a folder`);
  return { bytes: found.isFile() ? found.size : undefined, chunks: createReadStream(file) };
}
