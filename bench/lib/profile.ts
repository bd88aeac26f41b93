import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The parts of V8's .cpuprofile that are read here. */
interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const TOP = 40;

/** Self time of all profiles in a directory: by package, then the functions at the top. */
export function describeProfiles(dir: string): string {
  const byFunction = new Map<string, number>();
  const byPackage = new Map<string, number>();
  let busy = 0;
  for (const file of readdirSync(dir).filter((name) => name.endsWith('.cpuprofile'))) {
    const profile = JSON.parse(readFileSync(join(dir, file), 'utf8')) as Profile;
    const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
    for (const [i, id] of profile.samples.entries()) {
      const frame = frames.get(id);
      const us = profile.timeDeltas[i] ?? 0;
      if (frame === undefined || frame.functionName === '(idle)') continue;
      busy += us;
      const place = placeOf(frame.url);
      add(byPackage, packageOf(frame.functionName, place), us);
      add(byFunction, `${frame.functionName || '(anonymous)'} ${place && `${place}:${frame.lineNumber + 1}`}`.trim(), us);
    }
  }
  const list = (times: ReadonlyMap<string, number>, top: number) =>
    [...times]
      .sort(([, a], [, b]) => b - a)
      .slice(0, top)
      .map(([name, us]) => `${((us / busy) * 100).toFixed(1).padStart(6)} %  ${name}`)
      .join('\n');
  return `self time by package (of ${(busy / 1e6).toFixed(1)} s busy)\n${list(byPackage, 30)}\n\nself time by function\n${list(byFunction, TOP)}`;
}

const add = (times: Map<string, number>, name: string, us: number) => times.set(name, (times.get(name) ?? 0) + us);

/** A path as people know it: from the repository, or from the package below node_modules. */
const placeOf = (url: string): string =>
  url
    .replace('file://', '')
    .replace(/^.*\/node_modules\//, '')
    .replace(ROOT, '');

function packageOf(functionName: string, place: string): string {
  if (place === '') return functionName.startsWith('(') ? functionName : '(native)';
  if (place.startsWith('node:')) return 'node';
  const [first = '', second = ''] = place.split('/');
  return first.startsWith('@') || first === 'apps' || first === 'packages' ? `${first}/${second}` : first;
}
