/** Enough of RESP2 and RESP3 to find where one value ends; the protocol is described at redis.io/docs/latest/develop/reference/protocol-spec. */

const CR = 0x0d;
const BLOB = '$!=';
const LIST = '*~>';

/**
 * The offset behind the value that starts at `start`, or -1 while its end has not come yet.
 * An attribute (`|`) belongs to the value that follows it.
 */
export function endOfValue(buffer: Buffer, start: number): number {
  let at = start;
  let open = 1;
  while (open > 0) {
    if (at >= buffer.length) return -1;
    const lineEnd = buffer.indexOf(CR, at);
    if (lineEnd === -1 || lineEnd + 1 >= buffer.length) return -1;
    const type = String.fromCharCode(buffer[at] ?? 0);
    const size = Number(buffer.toString('latin1', at + 1, lineEnd));
    at = lineEnd + 2;
    open -= 1;
    if (BLOB.includes(type)) {
      if (size >= 0) at += size + 2;
      if (at > buffer.length) return -1;
    } else if (LIST.includes(type)) open += Math.max(0, size);
    else if (type === '%') open += 2 * size;
    else if (type === '|') open += 2 * size + 1;
  }
  return at;
}

/** Cuts a stream of bytes into whole top-level values. */
export class RespSplitter {
  #rest: Buffer = Buffer.alloc(0);

  /** The values that are complete now, each with its exact bytes. */
  push(chunk: Buffer): Buffer[] {
    const buffer = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const values: Buffer[] = [];
    let at = 0;
    for (let end = endOfValue(buffer, 0); end !== -1; end = at < buffer.length ? endOfValue(buffer, at) : -1) {
      values.push(buffer.subarray(at, end));
      at = end;
    }
    this.#rest = buffer.subarray(at);
    return values;
  }
}

/** One command as a client sent it. */
export class RedisCommand {
  readonly bytes: Buffer;
  #words: string[] | undefined;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** Lower case, e.g. `evalsha`. */
  get name(): string {
    return (this.#split()[0] ?? '').toLowerCase();
  }

  /** What follows the name, as UTF-8 text. */
  get args(): readonly string[] {
    return this.#split().slice(1);
  }

  #split(): string[] {
    this.#words ??= splitWords(this.bytes);
    return this.#words;
  }
}

function splitWords(bytes: Buffer): string[] {
  if (bytes[0] !== '*'.charCodeAt(0)) return bytes.toString().trim().split(/\s+/); // an inline command
  const words: string[] = [];
  let at = bytes.indexOf(CR) + 2;
  while (at < bytes.length) {
    const lineEnd = bytes.indexOf(CR, at);
    const size = Number(bytes.toString('latin1', at + 1, lineEnd));
    words.push(bytes.toString('utf8', lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
  return words;
}
