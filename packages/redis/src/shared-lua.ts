interface Part {
  readonly name: string;
  text: string;
}

export const withoutComments = (lua: string): string => lua.replace(/--.*/g, '');

/** Shared Lua by the functions and values at its top level. */
function partsOf(shared: string): Part[] {
  const parts: Part[] = [];
  for (const line of withoutComments(shared).split('\n')) {
    const name = /^local (?:function )?(\w+)/.exec(line)?.[1];
    const last = parts.at(-1);
    if (name !== undefined) parts.push({ name, text: `${line}\n` });
    else if (/^(?: |end$|}$)/.test(line) && last !== undefined) last.text += `${line}\n`;
    else if (line !== '')
      throw new Error(`Lua that scripts share has local functions and values at its top level, and no: ${line}`);
  }
  return parts;
}

const uses = (lua: string, name: string): boolean => new RegExp(`\\b${name}\\b`).test(lua);

/** Numbers by what they are known by: the name of a part, or a field of one that is a table. */
function numbersOf({ name, text }: Part): (readonly [known: string, number: string])[] {
  const [, value = ''] = /^local \w+ = (.*)\n$/.exec(text) ?? [];
  if (/^[\d.]+$/.test(value)) return [[name, value]];
  return [...value.matchAll(/\b(\w+) = ([\d.]+)(?=[, ])/g)].map(([, field, number = '']) => [`${name}.${field}`, number]);
}

const put = (lua: string, known: string, number: string): string =>
  lua.replace(new RegExp(`(?<![\\w.])${known.replace('.', '\\.')}\\b`, 'g'), number);

/** The first line of a function, where what is put behind it means the same as in front of it. */
function beginOf({ text }: Part, names: ReadonlySet<string>): string | null {
  const [line = null, parameters = ''] = /^local function \w+\((.*)\) *\n/.exec(text) ?? [];
  return parameters.split(', ').some((parameter) => names.has(parameter)) ? null : line;
}

/**
 * A script behind what it needs of the Lua that it shares with others. All that is in front of it is made anew by each of its calls: so numbers
 * stand in the place of their names, and a function that a single other one uses stands within that one, to be made when it is called.
 *
 * @throws when `shared` has anything but local functions and values at its top level.
 */
export function behindShared(shared: string, own: string): string {
  const parts = partsOf(shared);
  const names = new Set(parts.map(({ name }) => name));
  const script: Part = { name: '', text: own };
  let whole = [script];
  // A part uses only those above it.
  for (const part of parts.reverse()) {
    for (const [known, number] of numbersOf(part)) for (const user of whole) user.text = put(user.text, known, number);
    const [user, ...others] = whole.filter(({ text }) => uses(text, part.name));
    if (user === undefined) continue;
    const isWithin = user !== script && others.length === 0 && part.text.startsWith('local function ');
    const begin = isWithin ? beginOf(user, names) : null;
    if (begin === null) whole = [part, ...whole];
    else user.text = begin + part.text + user.text.slice(begin.length);
  }
  return whole.map(({ text }) => text).join('');
}
