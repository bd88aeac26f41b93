/**
 * Puts the chunks of a body together. Copied as they come: a chunk of one byte may be a view of the 64 KiB that were read from the socket,
 * and would keep all of them.
 */
export function gatherBytes(most: number): { add(chunk: Uint8Array): void; size(): number; bytes(): Buffer } {
  let held = Buffer.alloc(0);
  let size = 0;
  return {
    size: () => size,
    add(chunk) {
      const grown = size + chunk.length;
      if (grown > held.length) {
        const larger = Buffer.allocUnsafeSlow(Math.max(grown, Math.min(Math.max(2 * size, 4096), most)));
        larger.set(held.subarray(0, size));
        held = larger;
      }
      held.set(chunk, size);
      size = grown;
    },
    bytes: () => held.subarray(0, size),
  };
}
