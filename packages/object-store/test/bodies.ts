import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

export const KIB = 1024;
export const MIB = 1024 * KIB;

export const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
export const random = (bytes: number): Buffer => randomBytes(bytes);

/** A body as a download gives it: pieces that come one after another, in turns of the loop. */
export async function* pieces(data: Buffer, size = 64 * KIB): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += size) {
    yield data.subarray(at, at + size);
    await sleep(0);
  }
}

/** Gives `data` and then breaks. */
export async function* breaking(data: Buffer, error: Error): AsyncGenerator<Uint8Array> {
  yield* pieces(data);
  throw error;
}

/** Gives `data` and then nothing more, for ever. `reached` resolves when it hangs. */
export function hanging(data: Buffer): { body: AsyncIterable<Uint8Array>; reached: Promise<void> } {
  const { promise: reached, resolve } = Promise.withResolvers<void>();
  async function* body(): AsyncGenerator<Uint8Array> {
    yield* pieces(data);
    resolve();
    await new Promise(() => undefined);
  }
  return { body: body(), reached };
}

export async function collect(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
