import { createHash } from 'node:crypto';

const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');

/** A small PNG that no other text gives. */
export function pictureOf(text: string): Buffer {
  const header = Buffer.alloc(25);
  header.writeUInt32BE(13, 0);
  header.write('IHDR', 4, 'latin1');
  header.writeUInt32BE(64, 8);
  header.writeUInt32BE(48, 12);
  header[16] = 8;
  header[17] = 2;
  return Buffer.concat([SIGNATURE, header, Buffer.from(text)]);
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
