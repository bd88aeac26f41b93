/** So many characters in a row that the caller wrote as well are an echo. */
const RUN = 12;
/** A whole text of the caller counts from this length on; an echo of a shorter one proves nothing. */
const SHORT = 4;
/** Where a caller's words stand. One that is there and short was looked for all the same. */
const WORDS: ReadonlySet<string> = new Set(['prompt', 'content', 'text']);
/** More of them would hold up everybody for a line of a log. */
const READ_AT_MOST = 1_000_000;
const REDACTED = '[redacted]';

/** Pictures are no words, and there can be megabytes of them. */
const isPicture = (text: string): boolean => text.startsWith('data:') || (text.length > 2048 && !/\s/.test(text.slice(0, 2048)));

function textsIn(input: object): string[] {
  const found: string[] = [];
  const open: [name: string, value: unknown][] = Object.entries(input);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [name, value] = next;
    if (typeof value === 'string') {
      // The model stands beside the text wherever that is shown.
      const counts = value.length >= SHORT || (value !== '' && WORDS.has(name));
      if (name !== 'model' && name !== 'role' && name !== 'type' && counts && !isPicture(value)) found.push(value.toLowerCase());
    } else if (typeof value === 'object' && value !== null) open.push(...Object.entries(value));
  }
  return found;
}

/** Which characters of a text stand in one of these too, in a row of {@link RUN} or as the whole of a shorter one. */
function echoesIn(lower: string, texts: readonly string[]): Uint8Array {
  const echoed = new Uint8Array(lower.length);
  const runs = new Map<string, number[]>();
  for (let at = 0; at + RUN <= lower.length; at += 1) {
    const run = lower.slice(at, at + RUN);
    runs.set(run, [...(runs.get(run) ?? []), at]);
  }
  for (const text of texts) {
    for (let at = 0; at + RUN <= text.length; at += 1)
      for (const start of runs.get(text.slice(at, at + RUN)) ?? []) echoed.fill(1, start, start + RUN);
    if (text.length >= RUN || text.length < SHORT) continue;
    for (let at = lower.indexOf(text); at !== -1; at = lower.indexOf(text, at + 1)) echoed.fill(1, at, at + text.length);
  }
  return echoed;
}

/**
 * What upstream said, for logs and for pauses that others see too: without what it repeats of the caller's own texts. Where these are
 * not at hand, or too many to be looked for, nothing of it is left.
 */
export function withoutInput(said: string, input: object): string {
  const texts = textsIn(input);
  if (texts.length === 0 || texts.reduce((sum, { length }) => sum + length, 0) > READ_AT_MOST) return REDACTED;
  const lower = said.toLowerCase();
  // Letters that grow when they are small: places in the one would be none in the other.
  if (lower.length !== said.length) return REDACTED;
  const echoed = echoesIn(lower, texts);
  let kept = '';
  for (let at = 0; at < said.length; at += 1) {
    if (echoed[at] === 0) kept += said[at];
    else if (at === 0 || echoed[at - 1] === 0) kept += REDACTED;
  }
  return kept;
}
