import { JsonEnd } from './json-incremental.ts';

const LF = 0x0a;
const CR = 0x0d;

/** No field begins so: a gateway has put JSON or a page of its own in the middle of the events, and nobody may take the rest for whole. */
const BARE = /[{[<]/;

/** What gateways put between two events that they write into one line. */
const GLUE = 'data:';

const FIELDS: ReadonlySet<string> = new Set(['data', 'event', 'id', 'retry', '']);

/** One server-sent event, or one JSON value of it. */
export interface SseEvent {
  /** What its `event:` line says, when that stood before the data. */
  readonly name: string;
  readonly data: string;
}

/**
 * Server-sent events, from a text that comes in pieces split anywhere. An event is handed over as soon as
 * its JSON is complete, since the blank line, the line end or the end of the stream may never come (upstream.md §12 T12,
 * §13.2 F15); other data at the blank line or at the end. Comments and other fields are skipped.
 */
export class SseReader {
  #name = '';
  #inName = true;
  #skipSpace = false;
  #afterCr = false;
  #data = '';
  #event = '';
  /** How much of the glue has come behind a value of this line; -1: none is looked for. */
  #glue = -1;
  readonly #end = new JsonEnd();

  feed(text: string): SseEvent[] {
    const out: SseEvent[] = [];
    let at = 0;
    while (at < text.length) {
      const stop = lineEnd(text, at);
      const ended = stop < text.length;
      if (!(this.#afterCr && ended && stop === at && text.charCodeAt(at) === LF)) {
        this.#content(text, at, stop, out);
        if (ended) this.#endLine(out);
      }
      this.#afterCr = ended && text.charCodeAt(stop) === CR;
      at = stop + 1;
    }
    return out;
  }

  /** The rest, when the stream has ended. */
  finish(): SseEvent[] {
    const out: SseEvent[] = [];
    if (this.#isRestOfValue()) this.#takeName(out);
    this.#unglue();
    this.#dispatch(out);
    return out;
  }

  #content(text: string, from: number, to: number, out: SseEvent[]): void {
    let at = from;
    if (this.#inName && this.#name === '' && at < to && BARE.test(text.charAt(at))) {
      this.#name = 'data';
      this.#inName = false;
    }
    if (this.#inName) {
      const colon = text.indexOf(':', at);
      if (colon === -1 || colon >= to) {
        this.#name += text.slice(at, to);
        return;
      }
      this.#name += text.slice(at, colon);
      at = colon;
      if (this.#isRestOfValue()) this.#takeName(out);
      else {
        this.#skipSpace = true;
        at += 1;
      }
      this.#inName = false;
    }
    if (at < to && this.#skipSpace) {
      this.#skipSpace = false;
      if (text[at] === ' ') at++;
    }
    if (at < to && this.#isField('data')) this.#take(text, at, to, out);
    else if (this.#isField('event')) this.#event += text.slice(at, to);
  }

  #take(text: string, from: number, to: number, out: SseEvent[]): void {
    let start = this.#passGlue(text, from, to);
    while (start < to) {
      const end = this.#end.feed(text, start, to);
      if (end === -1) break;
      this.#data += text.slice(start, end);
      this.#dispatch(out);
      this.#glue = 0;
      start = this.#passGlue(text, end, to);
    }
    this.#data += text.slice(start, to);
  }

  /** Behind a value: space, and the name of the field once more, are no part of the next one. */
  #passGlue(text: string, from: number, to: number): number {
    for (let at = from; at < to; at++) {
      if (this.#glue === -1) return at;
      if (text.charAt(at) === GLUE.charAt(this.#glue)) this.#glue = (this.#glue + 1) % GLUE.length;
      else if (this.#glue > 0 || text.charAt(at).trim() !== '') {
        this.#unglue();
        return at;
      }
    }
    return to;
  }

  /** What looked like glue and was none is text. */
  #unglue(): void {
    this.#data += GLUE.slice(0, Math.max(0, this.#glue));
    this.#glue = -1;
  }

  /** A value that was written over several lines, only the first of which has the name of the field. */
  #isRestOfValue(): boolean {
    return this.#inName && this.#end.inside && !FIELDS.has(this.#name.trim().toLowerCase());
  }

  /** The line so far belongs to the value. */
  #takeName(out: SseEvent[]): void {
    const line = this.#name;
    this.#name = 'data';
    this.#take(line, 0, line.length, out);
  }

  #endLine(out: SseEvent[]): void {
    if (this.#isRestOfValue()) {
      this.#takeName(out);
      this.#inName = false;
    }
    this.#unglue();
    if (this.#inName && this.#name === '') {
      this.#dispatch(out);
      this.#event = '';
    } else if (this.#isField('data') && this.#data !== '') {
      this.#data += '\n';
    }
    this.#name = '';
    this.#inName = true;
    this.#skipSpace = false;
  }

  #dispatch(out: SseEvent[]): void {
    const data = this.#data.trim();
    if (data !== '') out.push({ name: this.#event.trim(), data });
    this.#data = '';
    this.#end.reset();
  }

  #isField(name: string): boolean {
    if (this.#inName) return false;
    return this.#name === name || this.#name.replace('\ufeff', '').trim().toLowerCase() === name;
  }
}

function lineEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === LF || code === CR) return at;
  }
  return text.length;
}
