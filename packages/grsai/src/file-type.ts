interface Magic {
  readonly type: string;
  readonly at: number;
  readonly bytes: string;
}

/** First bytes of the files that upstream may hand out, as latin1; the first row that fits. */
const MAGIC: readonly Magic[] = [
  { type: 'image/png', at: 0, bytes: '\x89PNG\r\n\x1a\n' },
  { type: 'image/jpeg', at: 0, bytes: '\xff\xd8\xff' },
  { type: 'image/webp', at: 8, bytes: 'WEBP' },
  { type: 'image/gif', at: 0, bytes: 'GIF8' },
  { type: 'image/avif', at: 4, bytes: 'ftypavi' },
  { type: 'image/heic', at: 4, bytes: 'ftyphei' },
  { type: 'image/heic', at: 4, bytes: 'ftyphev' },
  { type: 'image/heif', at: 4, bytes: 'ftypmif' },
  { type: 'image/heif', at: 4, bytes: 'ftypmsf' },
  { type: 'image/heif', at: 4, bytes: 'ftypmiaf' },
  { type: 'image/heif', at: 4, bytes: 'ftyp1pic' },
  { type: 'video/quicktime', at: 4, bytes: 'ftypqt  ' },
  { type: 'video/mp4', at: 4, bytes: 'ftyp' },
  { type: 'image/jxl', at: 0, bytes: '\xff\x0a' },
  { type: 'image/jxl', at: 4, bytes: 'JXL \r\n\x87\n' },
  { type: 'image/tiff', at: 0, bytes: 'II*\0' },
  { type: 'image/tiff', at: 0, bytes: 'II+\0' },
  { type: 'image/tiff', at: 0, bytes: 'MM\0*' },
  { type: 'image/tiff', at: 0, bytes: 'MM\0+' },
  { type: 'video/webm', at: 0, bytes: '\x1a\x45\xdf\xa3' },
];

/** So many bytes show every type of the table. */
export const MAGIC_LENGTH = 16;
/** The root of an SVG stands within so many bytes. */
export const TEXT_LENGTH = 2048;

/** Whether more bytes than `MAGIC_LENGTH` may show more: only of a text. */
export const mayBeText = (head: Uint8Array): boolean => /^(?:\xef\xbb\xbf)?[\t\r\n ]*(?:<|$)/.test(latin1(head));

const latin1 = (head: Uint8Array): string =>
  Buffer.from(head.buffer, head.byteOffset, Math.min(head.byteLength, TEXT_LENGTH)).toString('latin1');

/** The type by the first bytes: names and content types of result files are not to be trusted (upstream.md §10.1, §12 T14). */
export function fileType(head: Uint8Array): string | undefined {
  const text = latin1(head);
  const magic = MAGIC.find(({ at, bytes }) => text.startsWith(bytes, at))?.type;
  return magic ?? (isBmp(text) ? 'image/bmp' : isSvg(text) ? 'image/svg+xml' : undefined);
}

/** "BM" alone also begins words: four bytes that are zero stand behind it and the size. */
const isBmp = (text: string): boolean => text.startsWith('BM') && text.startsWith('\0\0\0\0', 6);

/** A document whose root is `svg`, behind prolog, comments and document type; a page that holds one is none. */
function isSvg(text: string): boolean {
  let rest = text.replace(/^\xef\xbb\xbf/, '').trimStart();
  for (let end = endOfNote(rest); end !== 0; end = endOfNote(rest)) {
    if (end === -1) return false;
    rest = rest.slice(end).trimStart();
  }
  return /^<(?:[\w.-]+:)?svg[\s/>]/.test(rest);
}

/** Behind what may stand before the root; -1 where that does not end, 0 where there is nothing of the kind. */
function endOfNote(text: string): number {
  if (text.startsWith('<!--')) return behind(text, '-->');
  if (text.startsWith('<?')) return behind(text, '?>');
  if (!/^<!doctype\s+(?:[\w.-]+:)?svg\b/i.test(text)) return 0;
  // Entities have brackets of their own: drawing programs write them.
  const subset = text.indexOf('[');
  return subset !== -1 && subset < text.indexOf('>') ? behind(text, '>', text.indexOf(']')) : behind(text, '>');
}

function behind(text: string, sign: string, from = 0): number {
  const at = from === -1 ? -1 : text.indexOf(sign, from);
  return at === -1 ? -1 : at + sign.length;
}
