import { readFileSync } from 'node:fs';
import { root } from './root.ts';

/** The words after `node` in `pnpm start:<app>`: options of Node, then the program. */
export function startCommand(app: 'api' | 'worker'): string[] {
  const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
    scripts: Record<`start:${typeof app}`, string>;
  };
  return scripts[`start:${app}`].split(' ').slice(1);
}
