/**
 * The same value without the fields that are null, in objects at every depth: callers write null for what they do not set. Nulls
 * in lists stay, where something would move up. What has none is answered as it is.
 */
export function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return Array.isArray(value) ? ofList(value) : ofObject(value as Record<string, unknown>);
}

// Nothing is made for the many values that stay: a body may have hundreds of thousands.

function ofList(list: readonly unknown[]): readonly unknown[] {
  let changed: unknown[] | null = null;
  for (let i = 0; i < list.length; i += 1) {
    const item = withoutNulls(list[i]);
    if (item !== list[i]) changed ??= list.slice();
    if (changed !== null) changed[i] = item;
  }
  return changed ?? list;
}

function ofObject(fields: Record<string, unknown>): Record<string, unknown> {
  let changed: Record<string, unknown> | null = null;
  const names = Object.keys(fields);
  for (const [i, name] of names.entries()) {
    const given = fields[name];
    const left = given === null ? undefined : withoutNulls(given);
    if (left !== given) changed ??= Object.fromEntries(names.slice(0, i).map((each) => [each, fields[each]]));
    if (changed !== null && left !== undefined) changed[name] = left;
  }
  return changed ?? fields;
}
