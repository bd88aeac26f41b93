import { JsonEnd } from './json-incremental.ts';
import { SseReader } from './sse.ts';

/** One JSON value of an answer, or a text in its place that is none. */
export interface Document {
  readonly text: string;
  /** The value; `undefined` when the text is no JSON. */
  readonly value: unknown;
}

/** What an answer is made of: one JSON value, server-sent events, or something else (HTML, plain text, nothing). */
export type Shape = 'empty' | 'json' | 'events' | 'other';

const FIELD = /^(?:data|event|id|retry)?:/;
const FIELDS = ['data:', 'event:', 'id:', 'retry:', ':'];

/**
 * Reads the JSON values of an answer as they become complete, whatever the content type says: bare, or in events although
 * none were asked for (grsai-api §12 T6, T12). How the text is split into pieces never changes what is read.
 */
export class DocumentReader {
  readonly #end = new JsonEnd();
  readonly #events = new SseReader();
  readonly #read: (text: string) => Document;
  #shape: Shape = 'empty';
  #text = '';
  /** What stands behind leading space, until the shape is known: not looked for anew in all of it with each piece. */
  #start = '';
  #done = false;

  /** `scrub` is applied to each text before it is parsed: it blanks the key, should upstream echo it. */
  constructor(scrub: (text: string) => string = (text) => text) {
    this.#read = (raw) => {
      const text = scrub(raw);
      return { text, value: parse(text) };
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
    if (this.#shape === 'events') return this.#events.finish().map(this.#read);
    if (this.#shape === 'other' || (this.#shape === 'json' && !this.#done)) {
      const document = this.#read(this.#text.trim());
      return document.value === undefined ? [] : [document];
    }
    return [];
  }

  #consume(piece: string): Document[] {
    if (this.#shape === 'events') return this.#events.feed(piece).map(this.#read);
    if (this.#shape !== 'json' || this.#done) return [];
    const end = this.#end.feed(piece, 0);
    if (end === -1) return [];
    this.#done = true;
    return [this.#read(this.#text.slice(0, this.#text.length - piece.length + end))];
  }

  #decide(piece: string): void {
    this.#start = (this.#start + piece).replace(/^[\s\ufeff]+/, '');
    const start = this.#start;
    if (start === '') return;
    if (start.startsWith('{') || start.startsWith('[')) this.#shape = 'json';
    else if (FIELD.test(start)) this.#shape = 'events';
    else if (!FIELDS.some((field) => field.startsWith(start))) this.#shape = 'other';
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ''));
  } catch {
    return undefined;
  }
}
