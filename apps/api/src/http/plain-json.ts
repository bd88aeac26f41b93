/** Texts of at most so many bytes cannot reach a limit of `JSON_LIMITS` but that of nesting. */
const MOST_BYTES = 4096;
const [COLON, BLANK] = [0x3a, 0x20] as const;

/** What JSON.parse reads otherwise than we do, or may: halves of Unicode pairs are escapes. */
const SUSPICIOUS = /\\u|__proto__/;

/**
 * A short text that is what JSON.stringify makes of its own value: so it holds no key twice, and nothing that JSON.parse would pass over. It
 * is read in a quarter of the time. `undefined`: it is another text, maybe a wrong one, and to be read strictly.
 */
export function readPlain(text: Buffer, depth: number): unknown {
  if (text.length > MOST_BYTES || text[text.indexOf(COLON) + 1] === BLANK) return undefined;
  const written = text.toString();
  if (SUSPICIOUS.test(written)) return undefined;
  try {
    const value: unknown = JSON.parse(written);
    return JSON.stringify(value) === written && !isDeeper(value, depth) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isDeeper(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (depth === 0) return true;
  for (const each of Object.values(value)) if (isDeeper(each, depth - 1)) return true;
  return false;
}
