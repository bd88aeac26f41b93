import type { Bytes } from '../bytes.ts';

export type Token =
  | { readonly kind: 'name' | 'sign' | 'string'; readonly text: string; readonly line: number }
  | { readonly kind: 'number'; readonly text: string; readonly value: number; readonly line: number }
  | { readonly kind: 'end'; readonly text: '<eof>'; readonly line: number };

const PATTERNS = {
  blank: /\s+/y,
  longOpen: /\[(=*)\[\r?\n?/y,
  name: /[A-Za-z_]\w*/y,
  number: /0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y,
  sign: /\.\.\.|\.\.|==|~=|<=|>=|[-+*/%^#<>=(){}[\];:,.]/y,
} as const;

const ESCAPES: Readonly<Record<string, string>> = {
  ...{ a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' },
  ...{ '\\': '\\', '"': '"', "'": "'", '\n': '\n' },
};

/** The words and signs of a text. A syntax error says the line as Lua does. */
export function tokensOf(source: Bytes): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let line = 1;

  const failed = (what: string): SyntaxError => new SyntaxError(`${line}: ${what}`);

  function match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = at;
    const found = pattern.exec(source);
    if (found !== null) pass(found[0]);
    return found;
  }

  function pass(text: string): void {
    at += text.length;
    for (const character of text) if (character === '\n') line++;
  }

  /** `[[…]]` or `[==[…]==]`, when one begins here. */
  function longText(): string | null {
    const open = match(PATTERNS.longOpen);
    if (open === null) return null;
    const close = `]${open[1]}]`;
    const end = source.indexOf(close, at);
    if (end === -1) throw failed("unfinished long string near '<eof>'");
    const text = source.slice(at, end);
    pass(text + close);
    return text;
  }

  function comment(): boolean {
    if (!source.startsWith('--', at)) return false;
    at += 2;
    if (longText() !== null) return true;
    const end = source.indexOf('\n', at);
    at = end === -1 ? source.length : end;
    return true;
  }

  function escaped(): string {
    const digits = /\d{1,3}/y;
    digits.lastIndex = at;
    const code = digits.exec(source)?.[0];
    if (code !== undefined) {
      at += code.length;
      if (Number(code) > 255) throw failed('escape sequence too large');
      return String.fromCharCode(Number(code));
    }
    const character = source[at] ?? '';
    pass(character);
    return ESCAPES[character] ?? character;
  }

  function quoted(quote: string): string {
    let text = '';
    for (;;) {
      const character = source[at];
      if (character === undefined || character === '\n') throw failed('unfinished string');
      at++;
      if (character === quote) return text;
      text += character === '\\' ? escaped() : character;
    }
  }

  while (at < source.length) {
    if (match(PATTERNS.blank) !== null || comment()) continue;
    const start = line;
    const character = source[at] ?? '';
    if (character === '"' || character === "'") {
      at++;
      tokens.push({ kind: 'string', text: quoted(character), line: start });
      continue;
    }
    const long = longText();
    if (long !== null) {
      tokens.push({ kind: 'string', text: long, line: start });
      continue;
    }
    const number = match(PATTERNS.number)?.[0];
    if (number !== undefined) {
      tokens.push({ kind: 'number', text: number, value: Number(number), line });
      continue;
    }
    const name = match(PATTERNS.name)?.[0];
    const text = name ?? match(PATTERNS.sign)?.[0];
    if (text === undefined) throw failed(`unexpected symbol near '${character}'`);
    tokens.push({ kind: name === undefined ? 'sign' : 'name', text, line });
  }
  tokens.push({ kind: 'end', text: '<eof>', line });
  return tokens;
}
