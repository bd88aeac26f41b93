import type { Bytes } from '../bytes.ts';
import { NotModelled } from '../errors.ts';
import { type Token, tokensOf } from './lexer.ts';
import type { Block, Call, Expression, Index, LuaFunctionBody, Statement, TableField } from './syntax.ts';

const RESERVED = new Set(
  'and break do else elseif end false for function if in local nil not or repeat return then true until while'.split(' '),
);

/** How strongly an operator binds to its left and to its right. */
const BINDING: Readonly<Record<string, readonly [left: number, right: number]>> = {
  ...{ or: [1, 1], and: [2, 2] },
  ...{ '<': [3, 3], '>': [3, 3], '<=': [3, 3], '>=': [3, 3], '~=': [3, 3], '==': [3, 3] },
  ...{ '..': [5, 4], '+': [6, 6], '-': [6, 6], '*': [7, 7], '/': [7, 7], '%': [7, 7], '^': [10, 9] },
};
const UNARY_BINDING = 8;

/**
 * Lua 5.1 without methods (`a:b()`).
 * @throws {SyntaxError} with the line
 */
export function parseLua(source: Bytes): Block {
  const tokens = tokensOf(source);
  let at = 0;

  const token = (): Token => tokens[at] as Token;
  const isWord = (text: string): boolean => {
    const { kind, text: there } = token();
    return there === text && kind !== 'string';
  };

  function accept(text: string): boolean {
    if (!isWord(text)) return false;
    at++;
    return true;
  }

  function failed(what = `unexpected symbol near '${token().text}'`): SyntaxError {
    return new SyntaxError(`${token().line}: ${what}`);
  }

  function expect(text: string): void {
    if (!accept(text)) throw failed(`'${text}' expected near '${token().text}'`);
  }

  function name(): string {
    const { kind, text } = token();
    if (kind !== 'name' || RESERVED.has(text)) throw failed(`'<name>' expected near '${text}'`);
    at++;
    return text;
  }

  function listOf<T>(item: () => T): T[] {
    const items = [item()];
    while (accept(',')) items.push(item());
    return items;
  }

  const BLOCK_ENDS = ['end', 'else', 'elseif', 'until', '<eof>'];
  const isBlockEnd = (): boolean => BLOCK_ENDS.some(isWord);

  function block(): Statement[] {
    const statements: Statement[] = [];
    while (!isBlockEnd()) {
      const next = statement();
      statements.push(next);
      accept(';');
      if ((next.type === 'return' || next.type === 'break') && !isBlockEnd())
        throw failed(`'<eof>' expected near '${token().text}'`);
    }
    return statements;
  }

  function bodyTo(end: string): Statement[] {
    const statements = block();
    expect(end);
    return statements;
  }

  const STATEMENTS: Readonly<Record<string, () => Statement>> = {
    local: () => (accept('function') ? { type: 'localFunction', name: name(), value: functionBody() } : local()),
    function: () => {
      let target: Index | { type: 'name'; name: string } = { type: 'name', name: name() };
      while (accept('.')) target = { type: 'index', base: target, key: { type: 'string', value: name() } };
      if (isWord(':')) throw new NotModelled('methods of Lua');
      return { type: 'assignment', targets: [target], values: [functionBody()] };
    },
    do: () => ({ type: 'do', body: bodyTo('end') }),
    break: () => ({ type: 'break', body: [] }),
    return: () => ({ type: 'return', values: isBlockEnd() || isWord(';') ? [] : listOf(() => expression()) }),
    if: ifStatement,
    while: () => {
      const test = expression();
      expect('do');
      return { type: 'while', test, body: bodyTo('end') };
    },
    repeat: () => {
      const body = bodyTo('until');
      return { type: 'repeat', body, test: expression() };
    },
    for: forStatement,
  };

  function statement(): Statement {
    const { kind, text } = token();
    const known = kind === 'name' ? STATEMENTS[text] : undefined;
    if (known !== undefined && RESERVED.has(text)) {
      at++;
      return known();
    }
    const first = suffixed();
    if (first.type === 'call' && !isWord(',') && !isWord('=')) return { type: 'call', call: first };
    const targets = [first];
    while (accept(',')) targets.push(suffixed());
    expect('=');
    const values = listOf(() => expression());
    return {
      type: 'assignment',
      values,
      targets: targets.map((target) => {
        if (target.type === 'index' || target.type === 'name') return target;
        throw failed();
      }),
    };
  }

  function local(): Statement {
    const names = listOf(name);
    return { type: 'local', names, values: accept('=') ? listOf(() => expression()) : [] };
  }

  function ifStatement(): Statement {
    const clauses: { test: Expression | null; body: Block }[] = [];
    do {
      const test = expression();
      expect('then');
      clauses.push({ test, body: block() });
    } while (accept('elseif'));
    if (accept('else')) clauses.push({ test: null, body: block() });
    expect('end');
    return { type: 'if', clauses };
  }

  function forStatement(): Statement {
    const names = [name()];
    if (accept('=')) {
      const [from, to, step = null] = listOf(() => expression());
      if (from === undefined || to === undefined) throw failed(`',' expected near '${token().text}'`);
      expect('do');
      return { type: 'for', name: names[0] as string, from, to, step, body: bodyTo('end') };
    }
    while (accept(',')) names.push(name());
    expect('in');
    const iterators = listOf(() => expression());
    expect('do');
    return { type: 'forIn', names, iterators, body: bodyTo('end') };
  }

  function functionBody(): LuaFunctionBody {
    const parameters: string[] = [];
    let varargs = false;
    expect('(');
    while (!isWord(')')) {
      varargs = accept('...');
      if (varargs) break;
      parameters.push(name());
      if (!accept(',')) break;
    }
    expect(')');
    return { type: 'function', parameters, varargs, body: bodyTo('end') };
  }

  function expression(least = 0): Expression {
    let left = operand();
    for (;;) {
      const { kind, text } = token();
      const binding = kind === 'string' ? undefined : BINDING[text];
      if (binding === undefined || binding[0] <= least) return left;
      at++;
      const right = expression(binding[1]);
      left =
        text === 'and' || text === 'or'
          ? { type: 'logical', operator: text, left, right }
          : { type: 'binary', operator: text, left, right };
    }
  }

  const WORDS: Readonly<Record<string, () => Expression>> = {
    nil: () => ({ type: 'nil' }),
    true: () => ({ type: 'boolean', value: true }),
    false: () => ({ type: 'boolean', value: false }),
    '...': () => ({ type: 'varargs' }),
    function: functionBody,
    '{': table,
    ...Object.fromEntries(
      ['not', '-', '#'].map((operator) => [
        operator,
        (): Expression => ({ type: 'unary', operator, of: expression(UNARY_BINDING) }),
      ]),
    ),
  };

  function operand(): Expression {
    const there = token();
    if (there.kind === 'number') {
      at++;
      return { type: 'number', value: there.value };
    }
    if (there.kind === 'string') {
      at++;
      return { type: 'string', value: there.text };
    }
    const known = Object.hasOwn(WORDS, there.text) ? WORDS[there.text] : undefined;
    if (known === undefined) return suffixed();
    at++;
    return known();
  }

  function suffixed(): Expression {
    let e: Expression;
    if (accept('(')) {
      e = { type: 'one', of: expression() };
      expect(')');
    } else {
      if (token().kind !== 'name' || RESERVED.has(token().text)) throw failed();
      e = { type: 'name', name: name() };
    }
    for (;;) {
      if (accept('.')) e = { type: 'index', base: e, key: { type: 'string', value: name() } };
      else if (accept('[')) {
        e = { type: 'index', base: e, key: expression() };
        expect(']');
      } else if (isWord(':')) throw new NotModelled('methods of Lua');
      else if (isWord('(') || isWord('{') || token().kind === 'string') e = call(e);
      else return e;
    }
  }

  function call(callee: Expression): Call {
    const { kind, text } = token();
    at++;
    if (kind === 'string') return { type: 'call', callee, args: [{ type: 'string', value: text }] };
    if (text === '{') return { type: 'call', callee, args: [table()] };
    const args = isWord(')') ? [] : listOf(() => expression());
    expect(')');
    return { type: 'call', callee, args };
  }

  function table(): Expression {
    const fields: TableField[] = [];
    while (!isWord('}')) {
      fields.push(field());
      if (!accept(',') && !accept(';')) break;
    }
    expect('}');
    return { type: 'table', fields };
  }

  function field(): TableField {
    if (accept('[')) {
      const key = expression();
      expect(']');
      expect('=');
      return { key, value: expression() };
    }
    const next = tokens[at + 1];
    if (token().kind === 'name' && !RESERVED.has(token().text) && next?.kind === 'sign' && next.text === '=') {
      const key: Expression = { type: 'string', value: name() };
      at++;
      return { key, value: expression() };
    }
    return { key: null, value: expression() };
  }

  const script = block();
  if (token().kind !== 'end') throw failed(`'<eof>' expected near '${token().text}'`);
  return script;
}
