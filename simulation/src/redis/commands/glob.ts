import type { Bytes } from '../bytes.ts';

/** A pattern of KEYS and SCAN: `*`, `?`, `[…]` and `\`. */
export function globOf(pattern: Bytes): (text: Bytes) => boolean {
  if (pattern === '*') return () => true;
  const source = pattern.replace(/\\(.)|\[(\^?)((?:\\.|[^\]])*)\]|[*?]|[.+^${}()|[\]\\/]/gs, (whole, escaped, not, inside) => {
    if (escaped !== undefined) return quoted(escaped);
    if (inside !== undefined) return `[${not}${inside.replace(/[[\]^]/g, '\\$&')}]`;
    if (whole === '*') return '.*';
    if (whole === '?') return '.';
    return quoted(whole);
  });
  const expression = new RegExp(`^${source}$`, 's');
  return (text) => expression.test(text);
}

const quoted = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
