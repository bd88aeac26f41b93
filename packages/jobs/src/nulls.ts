/**
 * The same value without the fields that are null, in objects at every depth: callers write null for what they do not set. Nulls
 * in lists stay, where something would move up. What has none is answered as it is.
 */
export function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.map(withoutNulls);
    return items.every((item, i) => item === value[i]) ? value : items;
  }
  const given = Object.entries(value);
  const left = given.flatMap(([name, each]): [string, unknown][] => (each === null ? [] : [[name, withoutNulls(each)]]));
  const same = left.length === given.length && left.every(([, each], i) => each === given[i]?.[1]);
  return same ? value : Object.fromEntries(left);
}
