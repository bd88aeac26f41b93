interface Magic {
  readonly type: string;
  readonly at: number;
  readonly bytes: string;
}

/** First bytes of the files that upstream may hand out, as latin1. */
const MAGIC: readonly Magic[] = [
  { type: 'image/png', at: 0, bytes: '\x89PNG\r\n\x1a\n' },
  { type: 'image/jpeg', at: 0, bytes: '\xff\xd8\xff' },
  { type: 'image/webp', at: 8, bytes: 'WEBP' },
  { type: 'image/gif', at: 0, bytes: 'GIF8' },
  { type: 'image/avif', at: 4, bytes: 'ftypavif' },
  { type: 'video/mp4', at: 4, bytes: 'ftyp' },
];

/** Bytes that tell every type of the table. */
export const MAGIC_LENGTH = 16;

/** The type by the first bytes: names and content types of result files are not to be trusted (grsai-api §10.1, §12 T14). */
export function fileType(head: Uint8Array): string | undefined {
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.byteLength, MAGIC_LENGTH)).toString('latin1');
  return MAGIC.find(({ at, bytes }) => text.startsWith(bytes, at))?.type;
}
