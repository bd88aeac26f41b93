import { chunksOf } from './bytes.ts';
import { connectionError } from './errors.ts';
import { readNdjson } from './ndjson.ts';
import { OUTAGE_MS, type Patience } from './retry-policy.ts';
import type { Query, Transport } from './transport.ts';

/** Cuts in a row with nothing new between them, until it is given up. */
const CUTS = 5;
/** Before it is opened again. */
const REOPEN_MS = 500;

interface Numbered {
  line: number | null;
}

/** A row, and its text as the service has sent it. */
export interface Row<T> {
  value: T;
  text: string;
}

/** The rows of an answer of NDJSON that are numbered by `line`, each once, from after line `after` on; goes on where it was cut. */
export async function* numberedLines<T extends Numbered>(
  transport: Transport,
  path: string,
  query: Query,
  after: number,
  { signal, outageMs }: { signal: AbortSignal; outageMs?: number | undefined },
): AsyncGenerator<Row<T>, void, undefined> {
  const place: Place = { last: after, cut: undefined };
  // Who has begun to read is patient; who cannot begin is told soon, unless patience was asked for.
  let patience: Patience | undefined = outageMs === undefined ? undefined : { outageMs };
  for (let cuts = 0; ; ) {
    const before = place.last;
    yield* once<T>(transport, path, query, place, { signal, patience });
    patience ??= { outageMs: OUTAGE_MS };
    if (place.cut === undefined) return;
    cuts = place.last > before ? 1 : cuts + 1;
    if (cuts > CUTS) throw connectionError(path, place.cut.error);
    await transport.sleep(REOPEN_MS * (0.75 + transport.random() / 2), signal);
  }
}

interface Place {
  /** The last line that is known. */
  last: number;
  /** Why it was not read to its end. */
  cut: { error: unknown } | undefined;
}

async function* once<T extends Numbered>(
  transport: Transport,
  path: string,
  query: Query,
  place: Place,
  { signal, patience }: { signal: AbortSignal; patience: Patience | undefined },
): AsyncGenerator<Row<T>, void, undefined> {
  const seen = place.last === 0 ? {} : { after_line: place.last };
  const headers = { accept: 'application/x-ndjson' };
  const stream = await transport.stream('GET', path, { signal, query: { ...query, ...seen }, headers, patience });
  place.cut = undefined;
  try {
    const { body } = stream.response;
    if (body === null) return;
    for await (const row of readNdjson<T>(chunksOf(body))) {
      const { line } = row.value;
      if (line !== null && line <= place.last) continue;
      place.last = line ?? place.last;
      yield row;
    }
  } catch (error) {
    signal.throwIfAborted();
    place.cut = { error };
  } finally {
    stream.close();
  }
}
