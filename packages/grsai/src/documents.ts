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
    const rest = this.#text.slice(this.#next).trim();
    if (this.#shape === 'empty' || rest === '') return [];
    const document = this.#read(rest);
    // What follows a value and is cut off is reported; half a value alone is no answer at all.
    return document.value === undefined && this.#next === 0 ? [] : [document];
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
    this.#start = (this.#start + piece).replace(/^[\s\ufeff]+/, '');
    const start = this.#start;
    if (start === '') return;
    if (start.startsWith('{') || start.startsWith('[')) this.#shape = 'json';
    else if (FIELD.test(start)) this.#shape = 'events';
    else if (!FIELDS.some((field) => field.startsWith(start.toLowerCase()))) this.#shape = 'other';
  }
}

function parse(text: string): unknown {
  const bare = text.replace(/^\ufeff/, '');
  const asItIs = readJson(bare);
  const mended = asItIs === undefined ? mendedJson(bare) : undefined;
  const value = mended === undefined ? asItIs : readJson(mended);
  // Written as JSON twice over.
  return typeof value === 'string' && /^\s*[{["]/.test(value) ? (parse(value) ?? value) : value;
}
