// `npm test`: types, lint, advisories and all tests; the arguments go to vitest. The last line says how many tests passed and failed.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './stack/root.ts';
import { stopRequest } from './stack/stop-request.ts';

const bin = join(root, 'node_modules', '.bin');
const report = join(root, '.data', 'test', 'results.json');

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly { readonly status: string }[] }[];
}

const CHECKS: readonly (readonly [name: string, program: string, ...args: string[]])[] = [
  // All packages in one program: their declarations are read once, not once for each.
  ['types', join(bin, 'tsc')],
  ['types of the admin page', join(bin, 'tsc'), '-p', 'apps/api/src/http/admin-page'],
  ['types of the client without Node', join(bin, 'tsc'), '-p', 'packages/client/tsconfig.edge.json'],
  ['lint', join(bin, 'biome'), 'check', '.'],
  ['dead code', join(bin, 'knip')],
  // Within 10 s, and passed over where no registry answers.
  ['advisories', process.execPath, join(root, 'scripts', 'advisories.ts')],
];

const stop = stopRequest();
const broken: string[] = [];
for (const [name, program, ...args] of CHECKS) {
  const started = performance.now();
  const code = await run(program, args);
  console.log(`${code === 0 ? '✓' : '✗'} ${name}  ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
  if (code !== 0) broken.push(name);
}

mkdirSync(join(root, '.data', 'test'), { recursive: true });
rmSync(report, { force: true });
const vitest = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...process.argv.slice(2)];
if ((await run(join(bin, 'vitest'), vitest)) !== 0) broken.push('tests');

const { passed, failed } = counts();
if (broken.length > 0) console.log(`\nNot right: ${broken.join(', ')}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(broken.length > 0 || failed > 0 ? 1 : 0);

/** A file that could not even be read holds no test that failed, so it counts as one. */
function counts(): { passed: number; failed: number } {
  try {
    const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8')) as Report;
    const unread = testResults.filter(
      ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
    );
    return { passed: numPassedTests, failed: numFailedTests + unread.length };
  } catch {
    return { passed: 0, failed: 0 };
  }
}

/** Runs a program with our output and resolves with its exit code. When somebody asks us to stop, it ends and we with it. */
function run(program: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: root,
      env: process.env,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const end = () => child.kill('SIGTERM');
    stop.addEventListener('abort', end);
    child.on('error', reject);
    child.on('close', (code) => {
      stop.removeEventListener('abort', end);
      if (stop.aborted) process.exit(130);
      resolve(code ?? 1);
    });
  });
}
