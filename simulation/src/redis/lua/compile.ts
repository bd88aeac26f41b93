import type { Bytes } from '../bytes.ts';
import { NotModelled } from '../errors.ts';
import { isBoolean, SINGLE } from './known.ts';
import * as operators from './operators.ts';
import { parseLua } from './parser.ts';
import type {
  Assignment,
  Block,
  Call,
  Expression,
  GenericFor,
  LuaFunctionBody,
  NumericFor,
  Statement,
  TableField,
} from './syntax.ts';
import { all, first, type LuaFunction, LuaTable, type LuaValue } from './values.ts';

/** What scripts find without having made it. */
export interface Environment {
  /** By their names, which cannot be changed. */
  readonly globals: ReadonlyMap<string, LuaValue>;
  /** `redis.call` for one command; `undefined`: no command has this name. */
  readonly command: (name: string) => ((args: LuaValue[]) => LuaValue) | undefined;
}

/** What the compiled code has under the name `$`. */
const RUNTIME = { ...operators, all, first, LuaTable };

/**
 * Lua 5.1 as a function of JavaScript, which V8 then compiles as it does our own code. Locals are locals, and a field of a library that
 * cannot change is found when the script is compiled and not each time that it runs, and so is a command that is named as it stands
 * (`redis.call('GET', …)`).
 *
 * Not modelled, and refused when a script is compiled: methods (`a:b()`) and new globals, which Redis refuses too.
 * @throws {SyntaxError} where the text is no Lua
 */
export function compileLua(text: Bytes, environment: Environment): (keys: LuaTable, argv: LuaTable) => LuaFunction {
  const compiler = createCompiler(environment);
  const body = compiler.body(parseLua(text));
  const { constants } = compiler;
  const code = `"use strict"; return (KEYS, ARGV) => (...varargs) => {${body}};`;
  return new Function('$', ...constants.keys(), code)(RUNTIME, ...constants.values());
}

/** Binary operators by the function of {@link RUNTIME} that does them; those of JavaScript itself need none. */
const OPERATORS: Readonly<Record<string, string>> = {
  '+': 'add',
  '-': 'subtract',
  '*': 'multiply',
  '/': 'divide',
  '%': 'modulo',
  '^': 'power',
  '..': 'concat',
  '<': 'less',
  '<=': 'lessOrEqual',
  '>': 'greater',
  '>=': 'greaterOrEqual',
};

function createCompiler({ globals, command }: Environment) {
  /** Values that the code is given by name. */
  const constants = new Map<string, unknown>();
  const scopes: Map<string, string>[] = [];
  /** Temporaries of the function that is being written. */
  let temporaries: string[] = [];
  let made = 0;

  const fresh = (name: string): string => `${name}$${++made}`;

  function declare(name: string): string {
    const own = fresh(name);
    scopes.at(-1)?.set(name, own);
    return own;
  }

  function localOf(name: string): string | undefined {
    for (let i = scopes.length - 1; i >= 0; i--) {
      const own = scopes[i]?.get(name);
      if (own !== undefined) return own;
    }
    return undefined;
  }

  function inScope<T>(write: () => T): T {
    scopes.push(new Map());
    try {
      return write();
    } finally {
      scopes.pop();
    }
  }

  function temporary(): string {
    const name = fresh('kept');
    temporaries.push(name);
    return name;
  }

  function constant(name: string, value: unknown): string {
    constants.set(name, value);
    return name;
  }

  function globalOf(name: string): string {
    // Each run has its own.
    if (name === 'KEYS' || name === 'ARGV') return name;
    if (!globals.has(name)) throw new NotModelled(`the global ${name} of Lua, which the script reads`);
    return constant(`global_${name}`, globals.get(name));
  }

  /** A library that nothing local hides. */
  function libraryOf(e: Expression): { name: string; table: LuaTable } | undefined {
    if (e.type !== 'name' || localOf(e.name) !== undefined) return undefined;
    const table = globals.get(e.name);
    return table instanceof LuaTable ? { name: e.name, table } : undefined;
  }

  /** `redis.call` and its like. */
  function libraryMember(base: Expression, key: Expression): string | undefined {
    const library = libraryOf(base);
    if (library === undefined || key.type !== 'string') return undefined;
    const value = library.table.get(key.value);
    if (value === undefined) throw new NotModelled(`${library.name}.${key.value} of Lua`);
    return constant(`global_${library.name}_${key.value}`, value);
  }

  /** What a library calls what is called. */
  function libraryNameOf({ callee }: Call): string | undefined {
    if (callee.type === 'name') return localOf(callee.name) === undefined ? callee.name : undefined;
    if (callee.type !== 'index' || callee.key.type !== 'string') return undefined;
    const library = libraryOf(callee.base);
    return library && `${library.name}.${callee.key.value}`;
  }

  const isSingle = (e: Call): boolean => SINGLE.has(libraryNameOf(e) ?? '');

  /** Whether it may have any number of values. */
  const isMany = (e: Expression | undefined): e is Call | { type: 'nil' | 'varargs' } =>
    e !== undefined && (e.type === 'varargs' || (e.type === 'call' && !isSingle(e)));

  /** An expression of which one value is wanted. */
  function one(e: Expression): string {
    switch (e.type) {
      case 'nil':
        return 'undefined';
      case 'boolean':
      case 'number':
        return String(e.value);
      case 'string':
        return JSON.stringify(e.value);
      case 'varargs':
        return 'varargs[0]';
      case 'name':
        return localOf(e.name) ?? globalOf(e.name);
      case 'one':
        return one(e.of);
      case 'function':
        return functionOf(e);
      case 'unary':
        return e.operator === 'not' ? `!${test(e.of)}` : `$.${e.operator === '#' ? 'length' : 'negate'}(${one(e.of)})`;
      case 'binary':
        return binary(e.operator, one(e.left), one(e.right));
      case 'logical':
        return logical(e.operator, e.left, e.right);
      case 'index':
        return libraryMember(e.base, e.key) ?? `$.index(${one(e.base)}, ${one(e.key)})`;
      case 'call':
        return isSingle(e) ? call(e) : `$.first(${call(e)})`;
      case 'table':
        return table(e.fields);
    }
  }

  function binary(operator: string, left: string, right: string): string {
    if (operator === '==') return `(${left} === ${right})`;
    if (operator === '~=') return `(${left} !== ${right})`;
    return `$.${OPERATORS[operator]}(${left}, ${right})`;
  }

  function logical(operator: 'and' | 'or', left: Expression, right: Expression): string {
    if (isBoolean(left)) return `(${one(left)} ${operator === 'and' ? '&&' : '||'} ${one(right)})`;
    const kept = temporary();
    const chosen = operator === 'and' ? `${one(right)} : ${kept}` : `${kept} : ${one(right)}`;
    return `($.truthy(${kept} = ${one(left)}) ? ${chosen})`;
  }

  /** An expression of which only the truth is wanted. */
  function test(e: Expression): string {
    if (e.type === 'one') return test(e.of);
    if (e.type === 'logical') return `(${test(e.left)} ${e.operator === 'and' ? '&&' : '||'} ${test(e.right)})`;
    if (e.type === 'unary' && e.operator === 'not') return `!${test(e.of)}`;
    return isBoolean(e) ? one(e) : `$.truthy(${one(e)})`;
  }

  function call(e: Call): string {
    const { callee, args } = e;
    const [name, ...rest] = args;
    const run = libraryNameOf(e) === 'redis.call' && name?.type === 'string' ? command(name.value) : undefined;
    if (run !== undefined && name?.type === 'string') return `${constant(`command_${name.value}`, run)}([${list(rest)}])`;
    const known = callee.type === 'index' ? libraryMember(callee.base, callee.key) : undefined;
    const global = callee.type === 'name' && localOf(callee.name) === undefined;
    return `${known ?? (global ? one(callee) : `$.callable(${one(callee)})`)}(${list(args)})`;
  }

  /** All values of an expression, as an array. */
  const many = (e: Call | { type: 'nil' | 'varargs' }): string => (e.type === 'call' ? `$.all(${call(e)})` : 'varargs');

  /** Values one after another; all of the last. */
  const list = (expressions: readonly Expression[]): string =>
    expressions.map((e, i) => (i === expressions.length - 1 && isMany(e) ? `...${many(e)}` : one(e))).join(', ');

  function table(fields: readonly TableField[]): string {
    const last = fields.at(-1);
    const items = fields.flatMap((field) => {
      if (field.key !== null) return [];
      return [field === last && isMany(field.value) ? `...${many(field.value)}` : one(field.value)];
    });
    const named = fields.flatMap(({ key, value }) => (key === null ? [] : [one(key), one(value)]));
    return named.length === 0 ? `new $.LuaTable([${items}])` : `$.tableOf([${items}], [${named}])`;
  }

  function functionOf({ parameters, varargs, body: statements }: LuaFunctionBody): string {
    return inScope(() => {
      const names = [...parameters.map(declare), ...(varargs ? ['...varargs'] : [])];
      return `((${names.join(', ')}) => {${body(statements)}})`;
    });
  }

  function body(statements: Block): string {
    const outer = temporaries;
    temporaries = [];
    const code = block(statements);
    const declared = temporaries.length > 0 ? `let ${temporaries.join(', ')};` : '';
    temporaries = outer;
    return `${declared}${code}return [];`;
  }

  const block = (statements: Block): string => inScope(() => statements.map(statement).join('\n'));

  function statement(s: Statement): string {
    switch (s.type) {
      case 'local':
        return local(s.names, s.values);
      case 'localFunction':
        // Its name comes before its body: it may call itself.
        return `let ${declare(s.name)} = ${functionOf(s.value)};`;
      case 'assignment':
        return assignment(s);
      case 'call':
        return `${call(s.call)};`;
      case 'return':
        return returned(s.values);
      case 'if':
        return s.clauses
          .map(({ test: condition, body: statements }) =>
            condition === null ? `{${block(statements)}}` : `if (${test(condition)}) {${block(statements)}}`,
          )
          .join(' else ');
      case 'while':
        return `while (${test(s.test)}) {${block(s.body)}}`;
      case 'repeat':
        // Its test sees the locals of its body.
        return inScope(() => `while (true) {${s.body.map(statement).join('\n')} if (${test(s.test)}) break;}`);
      case 'do':
        return `{${block(s.body)}}`;
      case 'break':
        return 'break;';
      case 'for':
        return forNumeric(s);
      case 'forIn':
        return overTable(s) ?? forGeneric(s);
    }
  }

  function returned(values: readonly Expression[]): string {
    const [only] = values;
    if (values.length !== 1 || only === undefined) return `return [${list(values)}];`;
    if (only.type === 'call') return `return ${call(only)};`;
    return `return ${isMany(only) ? 'varargs' : one(only)};`;
  }

  /** Values come before names: `local a = a` reads the outer one. */
  function local(names: readonly string[], values: readonly Expression[]): string {
    const [name] = names;
    if (names.length === 1 && name !== undefined && values.length <= 1) {
      const value = values[0] === undefined ? 'undefined' : one(values[0]);
      return `let ${declare(name)} = ${value};`;
    }
    const last = values.at(-1);
    if (!isMany(last) && values.length === names.length) {
      const given = values.map(one);
      return `let ${names.map((each, i) => `${declare(each)} = ${given[i]}`).join(', ')};`;
    }
    const all = fresh('values');
    const given = values.length === 1 && isMany(last) ? many(last) : `[${list(values)}]`;
    return `const ${all} = ${given}; let ${names.map((each, i) => `${declare(each)} = ${all}[${i}]`).join(', ')};`;
  }

  function assignment({ targets, values }: Assignment): string {
    const [target, value] = [targets[0], values[0]];
    if (targets.length === 1 && values.length === 1 && target !== undefined && value !== undefined) {
      if (target.type === 'index' && libraryOf(target.base) === undefined)
        return `$.setIndex(${one(target.base)}, ${one(target.key)}, ${one(value)});`;
      return `${set(target, [], one(value))};`;
    }
    // Tables and keys are read before anything is set.
    const places = targets.map((each) => (each.type === 'index' ? [fresh('base'), fresh('key')] : []));
    const read = targets.map((each, i) => {
      const [base, key] = places[i] ?? [];
      return each.type === 'index' ? `const ${base} = ${one(each.base)}, ${key} = ${one(each.key)};` : '';
    });
    const given = fresh('values');
    const sets = targets.map((each, i) => `${set(each, places[i] ?? [], `${given}[${i}]`)};`);
    return `{${read.join('')} const ${given} = [${list(values)}]; ${sets.join('')}}`;
  }

  /** Libraries are the same for all scripts, so Redis has them changed by none. */
  function set(target: Assignment['targets'][number], [base, key]: readonly string[], value: string): string {
    if (target.type === 'index') return libraryOf(target.base) ? '$.refuseChange()' : `$.setIndex(${base}, ${key}, ${value})`;
    const own = localOf(target.name);
    if (own === undefined) throw new NotModelled(`the global ${target.name}, which a script makes and Redis refuses`);
    return `${own} = ${value}`;
  }

  function forNumeric(s: NumericFor): string {
    const [at, limit, step] = [fresh('at'), fresh('limit'), fresh('step')];
    const start = `let ${at} = $.forNumber(${one(s.from)}, 'initial value'), ${limit} = $.forNumber(${one(s.to)}, 'limit')`;
    const by = s.step === null ? '1' : `$.forNumber(${one(s.step)}, 'step')`;
    const goesOn = s.step === null ? `${at} <= ${limit}` : `(${step} > 0 ? ${at} <= ${limit} : ${at} >= ${limit})`;
    return inScope(() => {
      const variable = declare(s.name);
      return `for (${start}, ${step} = ${by}; ${goesOn}; ${at} += ${step}) {let ${variable} = ${at}; ${block(s.body)}}`;
    });
  }

  /** `ipairs(t)` and `pairs(t)` as loops over the table. */
  function overTable({ names, iterators: [iterator, ...others], body: statements }: GenericFor): string | undefined {
    if (iterator?.type !== 'call' || others.length > 0 || names.length > 2) return undefined;
    const { callee, args } = iterator;
    if (callee.type !== 'name' || localOf(callee.name) !== undefined || args.length !== 1) return undefined;
    const { name } = callee;
    const [argument] = args;
    if ((name !== 'ipairs' && name !== 'pairs') || argument === undefined) return undefined;
    const [over, place] = [fresh('table'), fresh('place')];
    const start = `const ${over} = $.tableIn(${one(argument)}, '${name}');`;
    return inScope(() => {
      const [key = '', value = fresh('value')] = names.map(declare);
      const looped = block(statements);
      if (name === 'pairs') return `{${start} for (let [${key}, ${value}] of ${over}.pairs()) {${looped}}}`;
      const step = `let ${key} = ${place}, ${value} = ${over}.get(${place}); if (${value} === undefined) break;`;
      return `{${start} for (let ${place} = 1; ; ${place}++) {${step} ${looped}}}`;
    });
  }

  function forGeneric({ names, iterators, body: statements }: GenericFor): string {
    const [next, state, control] = [fresh('next'), fresh('state'), fresh('control')];
    const start = `let [${next}, ${state}, ${control}] = [${list(iterators)}];`;
    return inScope(() => {
      const own = names.map(declare);
      const step = `let [${own.join(', ')}] = $.all($.callable(${next})(${state}, ${control}));`;
      return `{${start} while (true) {${step} if (${own[0]} === undefined) break; ${control} = ${own[0]}; ${block(statements)}}}`;
    });
  }

  return { constants, body };
}
