/** Length of the base64 text of so many bytes, padding included. */
export const base64Bytes = (bytes: number): number => 4 * Math.ceil(bytes / 3);

/** The base64 text of a stream, chunk by chunk; at most two bytes wait for the next chunk. */
export async function* base64Of(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest = Buffer.alloc(0);
  for await (const chunk of source) {
    const bytes = Buffer.concat([rest, chunk]);
    const whole = bytes.length - (bytes.length % 3);
    rest = Buffer.from(bytes.subarray(whole));
    if (whole > 0) yield Buffer.from(bytes.toString('base64', 0, whole), 'latin1');
  }
  if (rest.length > 0) yield Buffer.from(rest.toString('base64'), 'latin1');
}
