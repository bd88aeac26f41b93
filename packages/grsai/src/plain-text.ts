/** Longer texts are pages or echoes: how much is read of their start and of their end, in characters. */
const START = 4000;
const END = 1000;

/** Escapes are undone layer by layer, since each echo adds one. */
const LAYERS = 4;

const character = (whole: string, digits: string, radix: number): string => {
  const code = Number.parseInt(digits, radix);
  return code <= 0x10_ffff ? String.fromCodePoint(code) : whole;
};
const bytes = (hex: string): string => Buffer.from(hex.replaceAll('%', ''), 'hex').toString('utf8');

/** Takes one layer of escapes off; each rule is linear, whatever the text. */
function peeled(text: string): string {
  let clean = text;
  if (clean.includes('\\'))
    clean = clean
      .replace(/\\[bfnrt]/gi, ' ')
      .replace(/\\u\{?([0-9a-f]{4})\}?/gi, (whole, hex: string) => character(whole, hex, 16))
      .replace(/\\(?=["'`/\\])/g, '');
  if (clean.includes('&'))
    clean = clean
      .replace(/&(?:quot|apos);/gi, '"')
      .replace(/&(?:nbsp|lt|gt);/gi, ' ')
      .replace(/&#x([0-9a-f]{1,6});/gi, (whole, hex: string) => character(whole, hex, 16))
      .replace(/&#(\d{1,7});/g, (whole, digits: string) => character(whole, digits, 10))
      .replace(/&amp;/gi, '&');
  return clean.includes('%') ? clean.replace(/(?:%[0-9a-f]{2}){1,300}/gi, bytes) : clean;
}

/** The text without the escapes of JSON, HTML and URLs. */
export function unescaped(text: string): string {
  let clean = text;
  for (let layer = 0; layer < LAYERS; layer++) {
    const next = peeled(clean);
    if (next === clean) break;
    clean = next;
  }
  return clean;
}

/** A text of upstream as it is judged: its start and its end, unescaped, full-width letters as plain ones, a blank for any white space. */
export function plainText(text: string): { readonly plain: string; readonly escaped: boolean } {
  const part = text.length <= START + END ? text : `${text.slice(0, START)} … ${text.slice(-END)}`;
  const clean = unescaped(part);
  return { plain: clean.normalize('NFKC').replace(/\s+/g, ' ').trim(), escaped: clean !== part };
}
