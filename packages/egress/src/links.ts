/**
 * A `Location` as its server meant it. Headers are bytes, and undici reads each as a letter of Latin-1; servers that do not escape write
 * UTF-8. Bytes that are none are escaped one by one, as they stand.
 */
export function locationOf(header: string): string {
  if (!/[\x80-\xff]/.test(header) || /[\u0100-\uffff]/.test(header)) return header;
  const bytes = Buffer.from(header, 'latin1');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return header.replace(/[\x80-\xff]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);
  }
}

/**
 * What a link that was escaped for HTML leads to; `undefined` when it was not. Only for a link that was refused as it stands: `&amp;` may
 * have been meant.
 */
export function unescaped(link: string): string | undefined {
  const plain = link.replace(/&(?:(?:amp|#38|#x26);)+/gi, '&');
  return plain === link ? undefined : plain;
}
