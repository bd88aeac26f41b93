import { CliError } from '../exit.ts';
import type { Host } from '../host.ts';
import { type Api, type Query, reasonOf } from './client.ts';

/** The lines of a body of NDJSON as they come, without empty ones. */
async function* linesOf(body: ReadableStream<Uint8Array> | null): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body ?? new ReadableStream<Uint8Array>()) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines.filter((line) => line !== '');
  }
  if (rest !== '') yield rest;
}

const BREAKS = 5;
const PAUSE_MS = 1000;

/**
 * The lines of something that is asked for by line number (`after_line`): when the connection breaks, it goes on after
 * the last whole line. Gives up after five breaks with nothing new between them.
 */
export async function* numberedLines(
  host: Host,
  api: Api,
  path: string,
  o: { query: Query; after: number; tries?: number; note: (line: string) => void },
): AsyncGenerator<{ line: number; text: string }> {
  let after = o.after;
  for (let breaks = 0; ; breaks += 1) {
    const response = await api.send('GET', path, {
      query: { ...o.query, after_line: after === 0 ? undefined : after },
      headers: { accept: 'application/x-ndjson' },
      ...(o.tries === undefined ? {} : { tries: o.tries }),
    });
    try {
      for await (const text of linesOf(response.body)) {
        const { line } = JSON.parse(text) as { line: number };
        if (line <= after) continue;
        after = line;
        breaks = 0;
        yield { line, text };
      }
      return;
    } catch (error) {
      host.interrupt.throwIfAborted();
      if (breaks >= BREAKS) throw new CliError('unreachable', `${path} broke off at line ${after}: ${reasonOf(error)}`);
      o.note(`The connection broke (${reasonOf(error)}); it goes on after line ${after}.`);
    }
    await host.sleep(PAUSE_MS, host.interrupt);
  }
}
