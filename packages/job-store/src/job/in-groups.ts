const MOST_BYTES = 4 * 1024 * 1024;

/** Groups, in order, of at most `most` items and some 4 MiB: what is read at once of records that can have 8 MiB each. */
export function inGroups<T extends { bytes: number }>(items: readonly T[], most: number): T[][] {
  const groups: T[][] = [];
  let bytes = 0;
  for (const item of items) {
    const last = groups.at(-1);
    if (last === undefined || last.length === most || bytes + item.bytes > MOST_BYTES) {
      groups.push([item]);
      bytes = item.bytes;
    } else {
      last.push(item);
      bytes += item.bytes;
    }
  }
  return groups;
}
