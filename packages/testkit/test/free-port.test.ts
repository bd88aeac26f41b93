import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { spawnChild } from '../src/children.ts';
import { freePort } from '../src/free-port.ts';

/** No process has an id as high. */
const DEAD = 2 ** 22 + 1;
const MODULE = new URL('../src/free-port.ts', import.meta.url).href;

function directory(): string {
  const dir = mkdtempSync(join(tmpdir(), 'ports-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const take = (taken: string, count: number) => Promise.all(Array.from({ length: count }, () => freePort(taken)));

/** Takes ports in another process, which lives on until the test ends. */
async function takeElsewhere(taken: string, count: number): Promise<number[]> {
  const program = `import { freePort } from '${MODULE}';
    const ports = await Promise.all(Array.from({ length: ${count} }, () => freePort('${taken}')));
    console.log(JSON.stringify(ports));
    process.stdin.resume();`;
  const child = spawnChild(process.execPath, ['--input-type=module', '-e', program], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill());
  const [said] = await once(child.stdout as NodeJS.ReadableStream, 'data');
  return JSON.parse(String(said)) as number[];
}

test('when two processes take ports then each is given once, and neither it nor the port 10 000 above it is one for outgoing connections', async () => {
  const dir = directory();
  const [here, elsewhere] = await Promise.all([take(dir, 300), takeElsewhere(dir, 300)]);
  const ports = [...here, ...elsewhere];
  expect(new Set(ports).size).toBe(600);
  expect(new Set([...ports, ...ports.map((port) => port + 10_000)]).size).toBe(1200);
  expect(Math.max(...ports) + 10_000).toBeLessThan(32_768);
});

test('when the process that took a port is gone then another is given it', async () => {
  const dir = directory();
  for (let port = 11_000; port < 21_000; port++) writeFileSync(join(dir, String(port)), String(DEAD));
  expect(readdirSync(dir)).toContain(String(await freePort(dir)));
});
