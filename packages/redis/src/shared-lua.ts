interface Part {
  readonly name: string;
  readonly text: string;
}

export const withoutComments = (lua: string): string => lua.replace(/--.*/g, '');

/** Shared Lua by the functions and values at its top level. */
function partsOf(shared: string): Part[] {
  const parts: { name: string; text: string }[] = [];
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

/**
 * What a script needs of the Lua that it shares with others: each function that is put in front of it is made anew by each of its calls.
 *
 * @throws when `shared` has anything but local functions and values at its top level.
 */
export function neededOf(shared: string, own: string): string {
  let needed = '';
  // A part uses only those above it.
  for (const { name, text } of partsOf(shared).reverse())
    if (new RegExp(`\\b${name}\\b`).test(needed + own)) needed = text + needed;
  return needed;
}
