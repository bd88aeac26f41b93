import type { Life } from './live.ts';
import type { StoryLine } from './world.ts';

const seconds = (ms: number): string => `${(ms / 1000).toFixed(3).padStart(9)} s`;

/** What is worth a line of text: a few fields in their order, the longest cut. */
function detailsOf(fields: StoryLine['with']): string {
  const shown = Object.entries(fields).filter(
    ([name, value]) => value !== undefined && !['pid', 'name', 'time', 'tenant'].includes(name),
  );
  return shown
    .map(([name, value]) => `${name}=${String(typeof value === 'object' ? JSON.stringify(value) : value).slice(0, 120)}`)
    .join(' ');
}

/**
 * The story of a broken promise for a person to read: what was done to the world, and all that concerns the order that it is about.
 */
export function timelineOf(life: Life): string {
  const [first] = life.violations;
  if (first === undefined) return 'no promise was broken';
  const ids = new Set([first.about]);
  for (const { who, with: fields } of life.lines)
    if (who === first.about) for (const name of ['job', 'batch']) if (typeof fields[name] === 'string') ids.add(fields[name]);
  const concerns = ({ who, with: fields }: StoryLine) =>
    ids.has(who) || Object.values(fields).some((value) => typeof value === 'string' && ids.has(value));
  const lines = life.lines
    .filter((line) => line.who === 'fault' || line.with['level'] === undefined || concerns(line))
    .filter((line) => line.who === 'fault' || /starts|SIG/.test(line.what) || concerns(line));
  return [
    `seed ${life.plan.seed}: ${first.about} ${first.what}`,
    ...lines.map(({ at, who, what, with: fields }) => `${seconds(at)}  ${who.padEnd(10)} ${what} ${detailsOf(fields)}`.trimEnd()),
  ].join('\n');
}
