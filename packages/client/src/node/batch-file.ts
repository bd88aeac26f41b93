import { createReadStream } from 'node:fs';

/** A file of NDJSON, packed by gzip or not, as `batches.create` takes it. It is read as fast as it is sent. */
export const batchFile = (path: string): AsyncIterable<Uint8Array> => createReadStream(path);
