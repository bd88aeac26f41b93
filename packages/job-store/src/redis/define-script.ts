import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { TRANSITIONS, type TransitionRow } from '@grsai-jobs/jobs';

/** A script as Redis gets it, and the digest that names it there. */
interface ScriptText {
  readonly text: string;
  readonly sha: string;
}

/** A Lua script with what it is called with. Made by {@link defineScript}. */
export interface Script<K extends string = string, A extends string = string> {
  readonly name: string;
  /** Names of its keys and arguments, in the order in which Redis gets them. */
  readonly keys: readonly NameOf<K>[];
  readonly args: readonly NameOf<A>[];
  /** What is sent; `paid` for calls that may write on a full Redis because their change is paid for. */
  readonly texts: { readonly usual: ScriptText; readonly paid: ScriptText };
}

/** The name that Lua and callers use: `...jobs` is `jobs`, `batch?` is `batch`. */
type NameOf<N extends string> = N extends `...${infer Name}` ? Name : N extends `${infer Name}?` ? Name : N;
type ValueOf<N extends string, V> = N extends `...${string}` ? readonly V[] : N extends `${string}?` ? V | null : V;

/** What a caller gives, by name. */
export type Given<N extends string, V> = { readonly [P in N as NameOf<P>]: ValueOf<P, V> };

/** Lua that some scripts share behind the prelude. */
export type SharedLua = string;

export const readLua = (file: URL): SharedLua => readFileSync(file, 'utf8');

/** Numbers as a table of Lua, so that they need not be sent and read with each call. */
export const luaTable = (name: string, rules: Readonly<Record<string, number>>): SharedLua =>
  `local ${name} = { ${Object.entries(rules)
    .map(([key, value]) => `${key} = ${value}`)
    .join(', ')} }\n`;

/**
 * The table of transitions for the guard of the prelude: a function that makes the row that is asked for. A table of all rows would be
 * made anew by each call of each script.
 */
function transitionsInLua(): SharedLua {
  const rows = Object.entries(TRANSITIONS as Readonly<Record<string, TransitionRow>>).map(([name, row]) => {
    const from = row.from.map((state) => `['${state}'] = true`).join(', ');
    const flags = `${row.from.length === 0 ? ', creates = true' : ''}${row.whileErasing ? ', erases = true' : ''}`;
    return `  if name == '${name}' then return { from = { ${from} }, guard = '${row.guard}', step = '${row.step}'${flags} } end`;
  });
  return `local function transition_row(name)\n${rows.join('\n')}\nend\n`;
}

/** What stands in front of each script. One that only reads needs no more than the form of a record, and is asked often. */
const RECORD_LUA: SharedLua = readLua(new URL('./record.lua', import.meta.url));
const PRELUDE: SharedLua = RECORD_LUA + transitionsInLua() + readLua(new URL('./prelude.lua', import.meta.url));

const bareName = <N extends string>(name: N) => name.replace(/^\.\.\.|\?$/g, '') as NameOf<N>;

/** Each name as a field of a table, from where {@link inOrder} puts its value. */
function luaNames(table: 'K' | 'A', names: readonly string[]): string {
  const [source, none] = table === 'K' ? ['KEYS', 'KEYS[1]'] : ['ARGV', "''"];
  const rest = names.at(-1)?.startsWith('...') ? bareName(names.at(-1) ?? '') : null;
  const fields = names.slice(0, rest === null ? undefined : -1).map((name, i) => {
    const value = `${source}[${i + 1}]`;
    return `${bareName(name)} = ${name.endsWith('?') ? `${value} ~= ${none} and ${value} or nil` : value}`;
  });
  const named = `local ${table} = { ${[...fields, ...(rest === null ? [] : [`${rest} = {}`])].join(', ')} }\n`;
  if (rest === null) return named;
  // Not by unpack, which fails above some thousand values.
  const before = names.length - 1;
  return `${named}for i = ${before + 1}, #${source} do ${table}.${rest}[i - ${before}] = ${source}[i] end\n`;
}

/** A name that is written wrong would be `nil` in Lua and say nothing. */
function checkNames(script: string, table: 'K' | 'A', names: readonly string[], lua: string): void {
  const declared = new Set(names.map(bareName));
  const used = new Set([...lua.matchAll(new RegExp(`\\b${table}\\.(\\w+)`, 'g'))].map(([, name]) => name ?? ''));
  for (const name of used) if (!declared.has(name)) throw new Error(`${script}.lua uses ${table}.${name}, which is not declared`);
  for (const name of declared) if (!used.has(name)) throw new Error(`${script}.lua does not use ${table}.${name}`);
  if (/\b(KEYS|ARGV)\b/.test(lua)) throw new Error(`${script}.lua uses KEYS or ARGV by position`);
}

/**
 * Declares a script beside the TypeScript that runs it. Its Lua has the names that are declared here as `K.name` and `A.name`;
 * `...name`, only as the last, is a list, and `name?` may be left out (`null`, in Lua `nil`).
 * All keys have to share a slot, so one that is left out is sent as the first; an argument as ''.
 *
 * @throws when the Lua uses a name that is not declared, or does not use one that is.
 */
export function defineScript<const K extends string, const A extends string = never>(o: {
  lua: URL;
  keys: readonly K[];
  args?: readonly A[];
  /** What it shares with other scripts. */
  shared?: readonly SharedLua[];
  /**
   * Whether it runs on a Redis that has no memory left: it always does, it never does, or only when its caller says that
   * what it writes is paid for. One that `reads` also runs on a Redis that takes no writes at all, and can make none.
   */
  whenFull: 'runs' | 'fails' | 'runs_if_paid' | 'reads';
}): Script<K, A> {
  const name = o.lua.pathname.replace(/^.*\//, '').replace('.lua', '');
  const args = o.args ?? [];
  const own = readLua(o.lua);
  const shared = (o.shared ?? []).join('');
  const code = (shared + own).replace(/--.*/g, '');
  checkNames(name, 'K', o.keys, code);
  checkNames(name, 'A', args, code);
  const body = luaNames('K', o.keys) + luaNames('A', args) + (o.whenFull === 'reads' ? RECORD_LUA : PRELUDE) + shared + own;
  const textOf = (shebang: string): ScriptText => {
    const text = `${shebang}\n${body}`;
    return { text, sha: createHash('sha1').update(text).digest('hex') };
  };
  if (o.whenFull === 'reads') {
    const noWrites = textOf('#!lua flags=no-writes');
    return { name, keys: o.keys.map(bareName), args: args.map(bareName), texts: { usual: noWrites, paid: noWrites } };
  }
  const [plain, allowOom] = [textOf('#!lua'), textOf('#!lua flags=allow-oom')];
  return {
    name,
    keys: o.keys.map(bareName),
    args: args.map(bareName),
    texts: { usual: o.whenFull === 'runs' ? allowOom : plain, paid: o.whenFull === 'fails' ? plain : allowOom },
  };
}

type Values<V> = Readonly<Record<string, V | null | readonly V[]>>;

/** Values in the order in which a script has declared their names. One that is left out stands as `none`. */
export function inOrder<V>(names: readonly string[], given: object, none: V): V[] {
  const values: V[] = [];
  for (const name of names) {
    const value = (given as Values<V>)[name];
    if (Array.isArray(value)) for (const each of value as readonly V[]) values.push(each);
    else values.push((value as V | null | undefined) ?? none);
  }
  return values;
}
