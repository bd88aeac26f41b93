// Asks the registry for advisories about what runs in production, as a step of `npm test`. Ends with 1 for what is high or critical. Where the registry
// gives none (no network, a mirror), or takes longer than `--within`, it says so and ends with 0. `--registry` asks another one.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './stack/root.ts';

const LEVEL = 'high';

interface Report {
  readonly advisories?: Readonly<Record<string, Advisory>>;
}

interface Advisory {
  readonly module_name: string;
  readonly vulnerable_versions: string;
  readonly severity: string;
  readonly title: string;
  readonly url: string;
}

const { values } = parseArgs({ options: { registry: { type: 'string' }, within: { type: 'string', default: '10000' } } });
const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { packageManager: string };

const answer = await audit(values.registry, Number(values.within));
const found = answer.report?.advisories === undefined ? undefined : Object.values(answer.report.advisories);
for (const { module_name, vulnerable_versions, severity, title, url } of found ?? [])
  console.log(`${severity}: ${module_name} ${vulnerable_versions}: ${title} ${url}`);
if (found === undefined) console.log(`advisories: skipped, ${answer.why}`);
else console.log(`advisories: ${found.length} of level ${LEVEL} or above`);
process.exit(found === undefined || found.length === 0 ? 0 : 1);

/** What pnpm says; without a report, why there is none. */
function audit(registry: string | undefined, withinMs: number): Promise<{ report?: Report; why: string }> {
  const words = ['pnpm', 'audit', '--prod', '--audit-level', LEVEL, '--json'];
  if (registry !== undefined) words.push('--registry', new URL(registry).href);
  return new Promise((resolve) => {
    const child = spawn('npx', ['-y', '-p', packageManager, '-c', words.join(' ')], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    });
    let out = '';
    child.stdout.on('data', (chunk) => (out += String(chunk)));
    const timer = setTimeout(() => {
      // npx does not hand a signal on: its whole group is ended.
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      resolve({ why: `no answer within ${withinMs} ms` });
    }, withinMs);
    child.on('error', () => resolve({ why: 'there is no npx' }));
    child.on('close', () => {
      clearTimeout(timer);
      resolve({ ...reportOf(out), why: 'the registry gives none' });
    });
  });
}

function reportOf(text: string): { report?: Report } {
  try {
    return { report: JSON.parse(text) as Report };
  } catch {
    return {};
  }
}
