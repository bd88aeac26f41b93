import { JsonRefusal, JsonSource, QUOTE } from './json-source.ts';

/** What a JSON text may be made of. Each value takes tens of bytes once it is read, however few it took on the wire. */
export interface JsonLimits {
  depth: number;
  /** Brackets and commas: about as many as there are values. */
  marks: number;
  /** Keys of one object. */
  keys: number;
  /** Bytes of one key, as it is written. */
  keyBytes: number;
  /** Digits and signs of one number. */
  numberBytes: number;
}

const [COMMA, COLON] = [0x2c, 0x3a] as const;
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d] as const;

interface Open {
  /** `null`: it is an object. */
  list: unknown[] | null;
  object: Record<string, unknown>;
  keys: number;
  /** Of the value that comes next. */
  key: string;
}

/** The values that were read, and what may come next. */
class JsonTree {
  next: 'value' | 'value or end' | 'key' | 'key or end' | 'colon' | 'comma or end' | 'nothing' = 'value';
  root: unknown;
  readonly #limits: JsonLimits;
  readonly #source: JsonSource;
  readonly #open: Open[] = [];
  #marks = 0;

  constructor(source: JsonSource, limits: JsonLimits) {
    this.#source = source;
    this.#limits = limits;
  }

  put(value: unknown): void {
    const into = this.#open.at(-1);
    if (into === undefined) this.root = value;
    else if (into.list) into.list.push(value);
    else into.object[into.key] = value;
    this.#goOn();
  }

  #goOn(): void {
    this.next = this.#open.length === 0 ? 'nothing' : 'comma or end';
  }

  begin(list: unknown[] | null): void {
    this.#mark();
    const object = {};
    this.put(list ?? object);
    this.#open.push({ list, object, keys: 0, key: '' });
    if (this.#open.length > this.#limits.depth)
      throw new JsonRefusal('limit', `is nested deeper than ${this.#limits.depth} levels`);
    this.next = list ? 'value or end' : 'key or end';
    this.#source.at += 1;
  }

  end(code: number): void {
    const { list } = this.#open.pop() ?? this.#source.wrong();
    if ((list ? CLOSE_LIST : CLOSE_OBJECT) !== code) this.#source.wrong();
    this.#goOn();
    this.#source.at += 1;
  }

  comma(): void {
    this.#mark();
    this.next = this.#open.at(-1)?.list ? 'value' : 'key';
    this.#source.at += 1;
  }

  colon(code: number): void {
    if (code !== COLON) this.#source.wrong();
    this.next = 'value';
    this.#source.at += 1;
  }

  key(key: string, bytes: number): void {
    const into = this.#open.at(-1) ?? this.#source.wrong();
    const shown = JSON.stringify(key.slice(0, 64).toWellFormed());
    if (bytes > this.#limits.keyBytes)
      throw new JsonRefusal('limit', `has a key of more than ${this.#limits.keyBytes} bytes, which begins with ${shown}`);
    if (key === '__proto__') throw new JsonRefusal('key', 'The key "__proto__" is not allowed');
    if (Object.hasOwn(into.object, key)) throw new JsonRefusal('key', `The key ${shown} stands twice in one object`);
    into.keys += 1;
    if (into.keys > this.#limits.keys)
      throw new JsonRefusal('limit', `has an object of more than ${this.#limits.keys} keys; no request takes as many`);
    into.key = key;
    this.next = 'colon';
  }

  #mark(): void {
    this.#marks += 1;
    if (this.#marks > this.#limits.marks)
      throw new JsonRefusal('limit', `holds too many values: more than ${this.#limits.marks} brackets and commas`);
  }
}

function* readKey(source: JsonSource, tree: JsonTree): Generator<undefined, void, void> {
  if (source.code !== QUOTE) source.wrong();
  const from = source.at;
  const key = yield* source.text();
  tree.key(key, source.at - from);
}

function* readValue(source: JsonSource, tree: JsonTree, limits: JsonLimits): Generator<undefined, void, void> {
  if (source.code === QUOTE) tree.put(yield* source.text());
  else if (source.code === OPEN_OBJECT) tree.begin(null);
  else if (source.code === OPEN_LIST) tree.begin([]);
  else tree.put(source.scalar(limits.numberBytes));
}

/**
 * Reads JSON as JSON.parse does, in one pass over the bytes (which are UTF-8), and pauses every few hundred microseconds: whoever
 * drives it lets others have a turn then. Refuses a key that stands twice, `__proto__`, half of a Unicode pair, and what is
 * beyond the limits, before memory is spent on it.
 * @throws JsonRefusal
 */
export function* readJson(bytes: Buffer, limits: JsonLimits): Generator<undefined, unknown, void> {
  const source = new JsonSource(bytes);
  const tree = new JsonTree(source, limits);
  for (;;) {
    while (!source.toToken()) yield;
    if (source.over) return tree.next === 'nothing' ? tree.root : source.wrong();
    const { code } = source;
    switch (tree.next) {
      case 'nothing':
        throw new JsonRefusal('behind', `it goes on behind its end, at byte ${source.at + 1}`);
      case 'comma or end':
        if (code === COMMA) tree.comma();
        else tree.end(code);
        break;
      case 'colon':
        tree.colon(code);
        break;
      case 'key':
        yield* readKey(source, tree);
        break;
      case 'key or end':
        if (code === CLOSE_OBJECT) tree.end(code);
        else yield* readKey(source, tree);
        break;
      case 'value or end':
        if (code === CLOSE_LIST) tree.end(code);
        else yield* readValue(source, tree, limits);
        break;
      default:
        yield* readValue(source, tree, limits);
    }
  }
}
