import { createHash } from 'node:crypto';
import { jsonPieces } from '@grsai-jobs/jobs';
import type { Slices } from '@grsai-jobs/runtime';

/** Of a request whatever the order of its keys; other requests have a turn meanwhile. */
export async function fingerprintOf(body: unknown, slices: Slices): Promise<string> {
  const hash = createHash('sha256');
  for (const piece of jsonPieces(body, { sorted: true })) {
    hash.update(piece);
    if (slices.over()) await slices.next();
  }
  return hash.digest('hex');
}
