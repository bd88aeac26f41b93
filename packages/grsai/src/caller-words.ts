import { unescaped } from './plain-text.ts';

/** What a caller gave upstream to read. It may stand in the answer, and proves nothing there. */
export interface CallerWords {
  /** Texts as they were written, and names of models among them. */
  readonly texts: readonly string[];
  readonly models: readonly string[];
}

/** The same as an echo is compared with them. */
interface Folded {
  readonly texts: readonly string[];
  readonly models: readonly string[];
  /** All texts in a row, since an echo may join them. */
  readonly run: string;
}

/** A run of this width that the caller wrote as well is an echo. A wide character, such as a Chinese one, is two wide. */
const RUN = 12;
/** A whole text of the caller that is narrower counts only where quotes or the like set it apart. */
const SHORT = 8;

const WIDE = /[\u1100-\u11ff\u2e80-\ud7ff\uf900-\ufaff\uff00-\uffef]|[\ud800-\udbff][\udc00-\udfff]/gu;
const widthOf = (text: string): number => text.length + (text.match(WIDE)?.length ?? 0);

/**
 * Letters and digits alone, in one case and without accents: what is left of a text whatever was done on the way to its letter
 * case, quotes, spaces and line ends.
 */
function fold(text: string): string {
  if (/^\p{ASCII}*$/u.test(text)) return text.toLowerCase().replace(/[^a-z0-9]+/g, '');
  const oneCase = text.normalize('NFKD').toUpperCase().toLowerCase().replaceAll('ς', 'σ');
  return oneCase.normalize('NFKD').replace(/[^\p{L}\p{N}]+/gu, '');
}

/** `escapes`: the escapes that upstream's text had were undone, and so are those that the caller wrote. */
function folded({ texts, models }: CallerWords, escapes: boolean): Folded {
  const each = (text: string): string[] => {
    const plain = escapes ? unescaped(text) : text;
    return [fold(text), ...(plain === text ? [] : [fold(plain)])].filter((letters) => letters !== '');
  };
  const all = texts.flatMap(each);
  return { texts: all, models: models.flatMap(each), run: all.join('') };
}

/**
 * The words in what was sent: any JSON value, or the text of one. Found when they are first asked for, which is only when an answer
 * has a text that means something; linear in their length.
 */
export function callerWords(supplied: unknown): () => CallerWords {
  let words: CallerWords | undefined;
  return () => {
    words ??= readWords(supplied);
    return words;
  };
}

/** Fields whose values are words of the API. */
const STRUCTURE: ReadonlySet<string> = new Set(['role', 'type', 'detail']);

function readWords(supplied: unknown): CallerWords {
  const texts: string[] = [];
  const models: string[] = [];
  const open: { name: string; value: unknown }[] = [{ name: '', value: parsed(supplied) }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { name, value } = next;
    if (typeof value === 'string') {
      if (STRUCTURE.has(name) && /^\w{1,16}$/.test(value)) continue;
      texts.push(value);
      if (name === 'model') models.push(value);
    } else if (typeof value === 'object' && value !== null) {
      const inside = Object.entries(value as Readonly<Record<string, unknown>>);
      // The last one in is the first one out, and an echo keeps their order.
      for (const [key, each] of inside.reverse()) open.push({ name: key, value: each });
    }
  }
  return { texts, models };
}

function parsed(supplied: unknown): unknown {
  if (supplied instanceof Uint8Array) return parsed(Buffer.from(supplied).toString('utf8'));
  if (typeof supplied !== 'string') return supplied;
  try {
    return JSON.parse(supplied);
  } catch {
    return supplied;
  }
}

/** What may stand around a quoted text. */
const SET_APART = /["'`“”‘’«»「」『』《》〈〉【】()[\]{}<>:=,;.!?…|/#*：，。；！？（）]/u;
const ELLIPSIS = /^[\s"'”’」』]*(?:…|\.\.)/u;
const ELLIPSIS_BEFORE = /(?:…|\.\.)[\s"'“‘「『]*$/u;

/** Tells of parts of one text of upstream whether they may be an echo of the caller's words. */
export class Echoes {
  readonly #text: string;
  readonly #words: Folded;
  /** The text folded, with the place in the text where each letter begins, and where it ends. */
  readonly #folded: string;
  readonly #places: readonly number[];
  readonly #ends: readonly number[];

  /** `text` is a plain one (`plainText`), `escaped` says whether it had escapes. */
  constructor(text: string, words: CallerWords, escaped: boolean) {
    this.#text = text;
    this.#words = folded(words, escaped);
    let letters = '';
    const places: number[] = [];
    const ends: number[] = [];
    let at = 0;
    for (const character of text) {
      for (const letter of fold(character)) {
        letters += letter;
        for (let unit = 0; unit < letter.length; unit++) {
          places.push(at);
          ends.push(at + character.length);
        }
      }
      at += character.length;
    }
    this.#folded = letters;
    this.#places = places;
    this.#ends = ends;
  }

  /** Whether every letter from `start` to `end` may be the caller's: the two could not be told apart. */
  covers(start: number, end: number): boolean {
    const from = this.#places.findIndex((place) => place >= start);
    const past = this.#places.findIndex((place) => place >= end);
    const to = past === -1 ? this.#folded.length : past;
    if (from === -1 || to <= from) return false;
    return this.#inRun(from, to) || this.#inWhole(from, to) || this.#inPart(from, to);
  }

  /** The letters, and those around them up to the width of a run, stand so in the caller's texts. */
  #inRun(from: number, to: number): boolean {
    const { run } = this.#words;
    for (let start = from; start >= 0 && widthOf(this.#folded.slice(start, from)) < RUN; start--) {
      let end = to;
      while (end < this.#folded.length && widthOf(this.#folded.slice(start, end)) < RUN) end++;
      const window = this.#folded.slice(start, end);
      if (widthOf(window) >= RUN && run.includes(window)) return true;
    }
    return false;
  }

  /** They stand in a text that the caller wrote whole: the name of a model, or one too short for a run. */
  #inWhole(from: number, to: number): boolean {
    const { texts, models } = this.#words;
    const letters = this.#folded.slice(from, to);
    const has = (text: string) => text.includes(letters);
    if (models.some((model) => has(model) && this.#standsAround(model, from, to, false))) return true;
    return texts.some((text) => {
      if (text.length >= RUN || !has(text)) return false;
      const width = widthOf(text);
      return width < RUN && this.#standsAround(text, from, to, width < SHORT);
    });
  }

  #standsAround(whole: string, from: number, to: number, apart: boolean): boolean {
    for (let at = this.#folded.indexOf(whole, Math.max(0, to - whole.length)); at !== -1 && at <= from; ) {
      if (this.#bounded(at, at + whole.length, apart)) return true;
      at = this.#folded.indexOf(whole, at + 1);
    }
    return false;
  }

  /** No letter of the same word stands beside it; `apart`: nor anything but what sets a text apart. */
  #bounded(from: number, to: number, apart: boolean): boolean {
    const before = this.#text.slice(0, this.#places[from]).trimEnd();
    const after = this.#text.slice(this.#ends[to - 1]);
    if (apart)
      return (
        (before === '' || SET_APART.test(before.slice(-1))) &&
        (after.trim() === '' || SET_APART.test(after.trimStart().charAt(0)))
      );
    const letter = /^[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{N}]/u;
    const joined = (this.#places[from] ?? 0) === before.length && letter.test(before.slice(-1));
    return !joined && !letter.test(after);
  }

  /** They stand in what is left of a text of the caller that was cut off, as dots show. */
  #inPart(from: number, to: number): boolean {
    const { texts } = this.#words;
    for (const [start, end] of around(from, to, this.#folded.length)) {
      const part = this.#folded.slice(start, end);
      const cutBehind = ELLIPSIS.test(this.#text.slice(this.#ends[end - 1]));
      const cutBefore = ELLIPSIS_BEFORE.test(this.#text.slice(0, this.#places[start]));
      if (!(cutBehind || cutBefore) || !this.#bounded(start, end, true)) continue;
      if (texts.some((text) => (cutBehind && text.startsWith(part)) || (cutBefore && text.endsWith(part)))) return true;
    }
    return false;
  }
}

/** The parts with `from` to `to` in them that are shorter than a run. */
function* around(from: number, to: number, length: number): Generator<readonly [number, number]> {
  for (let start = from; start >= 0 && to - start < RUN; start--)
    for (let end = to; end <= length && end - start < RUN; end++) yield [start, end];
}
