import { mendedJson } from './handmade-json.ts';
import { JsonEnd } from './json-incremental.ts';
import { readJson } from './json-values.ts';
import { type SseEvent, SseReader } from './sse.ts';

/** One JSON value of an answer, or a text in its place that is none. */
export interface Document {
  readonly text: string;
  /** The value; `undefined` when the text is no JSON. */
  readonly value: unknown;
  /** The name of the event that it came in, if it has one. */
  readonly event?: string;
}

/** What an answer is made of: one JSON value or several in a row, server-sent events, or something else (HTML, plain text, nothing). */
export type Shape = 'empty' | 'json' | 'events' | 'other';

const FIELD = /^(?:data|event|id|retry)?:/i;
/** A gateway has put events into events. */
const PREFIX_AGAIN = /^(?:data:\s*)+/;

const FIELDS = ['data:', 'event:', 'id:', 'retry:', ':'];

/** What stands before the first value, or between two, and is none. */
const SPACE = /^[\s\ufeff\p{Cc}]+/u;

/**
 * What JSON comes wrapped in: Markdown, the call of a function, a guard against one, a warning of PHP, a word before it. Any other words may
 * be those of a refusal, which repeats what was sent.
 */
const WRAPPER =
  /\s+|`{3,}\w{0,10}|\/\*\*\/|(?![\w$.]*(?:err|exception|reject|violat|invalid|fail|refus|deni))[\w$.]{1,80}\((?=\s*[{[])|\)\]\}',?|while ?\(1\);|for ?\(;;\);|<br ?\/?>|<b>(?:Warning|Notice|Deprecated)<\/b>:[^\n]{0,1000}\n|(?:ok|success|response|result|json|body|output|200)(?: ?[:：=]|[\r\n])/iy;

/** The end of what it comes wrapped in. */
const CLOSING = /^[\s`);]*$/;

/** Where the JSON begins that a text is wrapped around; -1 when it begins with something else. Nothing is looked at twice. */
function startOfWrapped(text: string): number {
  const wrapper = new RegExp(WRAPPER);
  let at = 0;
  while (wrapper.test(text)) at = wrapper.lastIndex;
  return at > 0 && /[{[]/.test(text.charAt(at)) ? at : -1;
}

/**
 * Reads the JSON values of an answer as they become complete, whatever the content type says: bare, or in events although
 * none were asked for (upstream.md §12 T6, T12). How the text is split into pieces never changes what is read.
 */
export class DocumentReader {
  readonly #end = new JsonEnd();
  readonly #events = new SseReader();
  readonly #read: (text: string, event?: string) => Document;
  #shape: Shape = 'empty';
  #text = '';
  /** What stands behind leading space, until the shape is known: not looked for anew in all of it with each piece. */
  #start = '';
  /** Where the next bare value begins in the text. */
  #next = 0;

  /** `scrub` is applied to each text before it is parsed: it blanks the key, should upstream echo it. */
  constructor(scrub: (text: string) => string = (text) => text) {
    this.#read = (raw, event = '') => {
      const text = scrub(raw);
      return { text, value: parse(text), ...(event === '' ? {} : { event }) };
    };
  }

  get shape(): Shape {
    return this.#shape;
  }

  /** Everything that was fed, for the record of what upstream said. */
  get text(): string {
    return this.#text;
  }

  feed(piece: string): Document[] {
    this.#text += piece;
    if (this.#shape === 'empty') {
      this.#decide(piece);
      return this.#consume(this.#text);
    }
    return this.#consume(piece);
  }

  /** What is left when the answer has ended, complete or not. */
  finish(): Document[] {
    if (this.#shape === 'empty' && this.#text.trim() !== '') {
      this.#shape = 'other';
    }
    if (this.#shape === 'events') return this.#events.finish().map(this.#readEvent);
    if (this.#shape === 'other') return this.#wrapped() ?? this.#rest();
    return this.#rest();
  }

  #rest(): Document[] {
    const rest = this.#text.slice(this.#next).trim();
    if (this.#shape === 'empty' || rest === '') return [];
    const document = this.#read(rest);
    // What follows a value and is cut off is reported; half a value alone is no answer at all.
    return document.value === undefined && this.#next === 0 ? [] : [document];
  }

  /** The values inside of what they are wrapped in, `undefined` when there are none. */
  #wrapped(): Document[] | undefined {
    const start = startOfWrapped(this.#text);
    if (start === -1) return undefined;
    this.#next = start;
    const values = this.#values(this.#text.slice(start));
    if (values[0]?.value === undefined) {
      this.#next = 0;
      return undefined;
    }
    this.#shape = 'json';
    return CLOSING.test(this.#text.slice(this.#next)) ? values : [...values, ...this.#rest()];
  }

  readonly #readEvent = ({ name, data }: SseEvent): Document => this.#read(data.replace(PREFIX_AGAIN, ''), name);

  #consume(piece: string): Document[] {
    if (this.#shape === 'events') return this.#events.feed(piece).map(this.#readEvent);
    return this.#shape === 'json' ? this.#values(piece) : [];
  }

  #values(piece: string): Document[] {
    const values: Document[] = [];
    const start = this.#text.length - piece.length;
    for (let at = 0; at < piece.length; ) {
      const end = this.#end.feed(piece, at);
      if (end === -1) break;
      values.push(this.#read(this.#text.slice(this.#next, start + end).trim()));
      this.#next = start + end;
      this.#end.reset();
      at = end;
    }
    return values;
  }

  #decide(piece: string): void {
    this.#start = (this.#start + piece).replace(SPACE, '');
    const start = this.#start;
    if (start === '') return;
    if (start.startsWith('{') || start.startsWith('[')) this.#shape = 'json';
    else if (FIELD.test(start)) this.#shape = 'events';
    else if (!FIELDS.some((field) => field.startsWith(start.toLowerCase()))) this.#shape = 'other';
  }
}

function parse(text: string): unknown {
  const bare = text.replace(SPACE, '');
  const asItIs = readJson(bare);
  const mended = asItIs === undefined ? mendedJson(bare) : undefined;
  const value = mended === undefined ? asItIs : readJson(mended);
  // Written as JSON twice over.
  return typeof value === 'string' && /^\s*[{["]/.test(value) ? (parse(value) ?? value) : value;
}
