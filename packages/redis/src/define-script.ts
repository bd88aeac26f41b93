import { readFileSync } from 'node:fs';
import { behindShared, withoutComments } from './shared-lua.ts';

/**
 * Whether a script runs on a Redis that has no memory left: it always does, it never does, or only when its caller says that
 * what it writes is paid for. One that `reads` also runs on a Redis that takes no writes at all, and can make none.
 */
export type WhenFull = 'runs' | 'fails' | 'runs_if_paid' | 'reads';

/** A Lua script with what it is called with. Made by {@link defineScript}. */
export interface Script<K extends string = string, A extends string = string> {
  readonly name: string;
  /** Names of its keys and arguments, in the order in which Redis gets them. */
  readonly keys: readonly NameOf<K>[];
  readonly args: readonly NameOf<A>[];
  readonly whenFull: WhenFull;
  /** It answers somebody, or what it writes is paid for: what it wrote has to last. */
  readonly lasts: boolean;
  /** Its Lua as Redis gets it, behind what it needs of what it shares with other scripts, and of this. */
  readonly behind: (library: SharedLua) => string;
}

/** The name that Lua and callers use: `...jobs` is `jobs`, `batch?` is `batch`. */
type NameOf<N extends string> = N extends `...${infer Name}` ? Name : N extends `${infer Name}?` ? Name : N;
type ValueOf<N extends string, V> = N extends `...${string}` ? readonly V[] : N extends `${string}?` ? V | null : V;

/** What a caller gives, by name. */
export type Given<N extends string, V> = { readonly [P in N as NameOf<P>]: ValueOf<P, V> };

/** Lua that scripts share: functions and values, each of which may use those above it. */
export type SharedLua = string;

export const readLua = (file: URL): SharedLua => readFileSync(file, 'utf8');

/** Numbers as a table of Lua, so that they need not be sent and read with each call. */
export const luaTable = (name: string, rules: Readonly<Record<string, number>>): SharedLua =>
  `local ${name} = { ${Object.entries(rules)
    .map(([key, value]) => `${key} = ${value}`)
    .join(', ')} }\n`;

const bareName = <N extends string>(name: N) => name.replace(/^\.\.\.|\?$/g, '') as NameOf<N>;

/**
 * Puts what Redis knows a key or an argument by in the place of its name, from where {@link inOrder} puts its value. A table with all of
 * them would be made anew by each call of each script; only a list is one.
 */
function placeNames(table: 'K' | 'A', names: readonly string[]): (lua: string) => string {
  const [source, none] = table === 'K' ? ['KEYS', 'KEYS[1]'] : ['ARGV', "''"];
  const values = new Map<string, string>();
  let list = '';
  for (const [i, name] of names.entries()) {
    const value = `${source}[${i + 1}]`;
    if (name.startsWith('...')) {
      const local = `${table}_${bareName(name)}`;
      // Not by unpack, which fails above some thousand values.
      list = `local ${local} = {}\nfor i = ${i + 1}, #${source} do ${local}[i - ${i}] = ${source}[i] end\n`;
      values.set(bareName(name), local);
    } else values.set(bareName(name), name.endsWith('?') ? `(${value} ~= ${none} and ${value} or nil)` : value);
  }
  return (lua) => list + lua.replace(new RegExp(`\\b${table}\\.(\\w+)`, 'g'), (written, name) => values.get(name) ?? written);
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
  whenFull: WhenFull;
  /** It answers somebody, or what it writes is paid for: what it wrote has to last. */
  lasts?: boolean;
}): Script<K, A> {
  const name = o.lua.pathname.replace(/^.*\//, '').replace('.lua', '');
  const args = o.args ?? [];
  const [shared, own] = [(o.shared ?? []).join(''), withoutComments(readLua(o.lua))];
  const used = withoutComments(shared) + own;
  checkNames(name, 'K', o.keys, used);
  checkNames(name, 'A', args, used);
  const [keys, values] = [placeNames('K', o.keys), placeNames('A', args)];
  // Each process and each primary asks anew, and most for the same.
  const known = new Map<SharedLua, string>();
  const behind = (library: SharedLua): string => {
    const lua = known.get(library) ?? keys(values(behindShared(library + shared, own)));
    known.set(library, lua);
    return lua;
  };
  return {
    name,
    keys: o.keys.map(bareName),
    args: args.map(bareName),
    whenFull: o.whenFull,
    lasts: o.lasts ?? false,
    behind,
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
