import { JsonEnd } from './json-incremental.ts';

const LF = 0x0a;
const CR = 0x0d;

/**
 * The data of server-sent events, from a text that comes in pieces split anywhere. An event is handed over as soon as
 * its JSON is complete, since the blank line, the line end or the end of the stream may never come (grsai-api §12 T12,
 * §13.2 F15); other data at the blank line or at the end. Comments and other fields are skipped.
 */
export class SseReader {
  #name = '';
  #inName = true;
  #skipSpace = false;
  #afterCr = false;
  #data = '';
  readonly #end = new JsonEnd();

  feed(text: string): string[] {
    const out: string[] = [];
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
  finish(): string[] {
    const out: string[] = [];
    this.#dispatch(out);
    return out;
  }

  #content(text: string, from: number, to: number, out: string[]): void {
    let at = from;
    if (this.#inName) {
      const colon = text.indexOf(':', at);
      if (colon === -1 || colon >= to) {
        this.#name += text.slice(at, to);
        return;
      }
      this.#name += text.slice(at, colon);
      this.#inName = false;
      this.#skipSpace = true;
      at = colon + 1;
    }
    if (at < to && this.#skipSpace) {
      this.#skipSpace = false;
      if (text[at] === ' ') at++;
    }
    if (at < to && this.#isData()) this.#take(text, at, to, out);
  }

  #take(text: string, from: number, to: number, out: string[]): void {
    let start = from;
    while (start < to) {
      const end = this.#end.feed(text, start, to);
      if (end === -1) break;
      this.#data += text.slice(start, end);
      this.#dispatch(out);
      start = end;
    }
    this.#data += text.slice(start, to);
  }

  #endLine(out: string[]): void {
    if (this.#inName && this.#name === '') this.#dispatch(out);
    else if (this.#isData() && this.#data !== '') {
      this.#data += '\n';
    }
    this.#name = '';
    this.#inName = true;
    this.#skipSpace = false;
  }

  #dispatch(out: string[]): void {
    const data = this.#data.trim();
    if (data !== '') out.push(data);
    this.#data = '';
    this.#end.reset();
  }

  #isData(): boolean {
    return !this.#inName && this.#name.replace('\ufeff', '') === 'data';
  }
}

function lineEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === LF || code === CR) return at;
  }
  return text.length;
}
