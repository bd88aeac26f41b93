import { Agent, createServer, request as send } from 'node:http';
import { freePort, listen, waitFor } from '@grsai-jobs/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { chat, createClient, startStack } from './stack.ts';

const LOOK_EVERY_MS = 100;

/**
 * A balancer that keeps its connections, sends to each backend that was ready when it last looked in turn, and repeats nothing: what a
 * backend does not answer is a 502.
 */
async function startBalancer(ports: readonly number[]) {
  const agent = new Agent({ keepAlive: true, maxSockets: 50 });
  const ready = new Set<number>();
  let turn = 0;
  const look = async (port: number) => {
    const ok = await fetch(`http://127.0.0.1:${port}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (ok) ready.add(port);
    else ready.delete(port);
  };
  const looks = setInterval(() => void Promise.all(ports.map(look)), LOOK_EVERY_MS);
  const server = createServer((asked, answer) => {
    const able = ports.filter((port) => ready.has(port));
    turn += 1;
    const port = able[turn % able.length];
    if (port === undefined) {
      answer.writeHead(503).end('no backend is ready');
      return;
    }
    const { method, url: path, headers } = asked;
    const passed = send({ host: '127.0.0.1', port, agent, method, path, headers }, (found) => {
      answer.writeHead(found.statusCode ?? 502, { 'content-type': found.headers['content-type'] });
      found.pipe(answer);
    });
    passed.on('error', (error) => answer.writeHead(502).end(error.message));
    asked.pipe(passed);
  });
  onTestFinished(() => {
    clearInterval(looks);
    agent.destroy();
  });
  const url = await listen(server, onTestFinished);
  return { url, knows: (port: number) => waitFor(() => ready.has(port), { what: `a backend at ${port}` }) };
}

test('when two APIs behind a balancer that keeps connections are restarted one after the other then no caller sees an error', async () => {
  const stack = await startStack({ env: { DRAIN_S: '1' } });
  const ports = [Number(new URL(stack.url).port), await freePort()];
  const [first = 0, second = 0] = ports;
  const apis = new Map([[first, stack.api]]);
  apis.set(second, await stack.startApi({ PORT: String(second) }));
  const balancer = await startBalancer(ports);
  for (const port of ports) await balancer.knows(port);
  const { key } = await stack.admin.post<{ key: string }>('/admin/v1/keys', {
    ...{ tenant: 'acme', name: 'rolling', scopes: ['jobs:read', 'jobs:write'] },
  });
  const tenant = createClient(balancer.url, key);
  const errors: string[] = [];
  let answers = 0;
  let over = false;
  const caller = async () => {
    while (!over) {
      try {
        const { id } = await tenant.post<{ id: string }>('/v1/jobs', chat(stack.receiver, 'go on', { webhook: undefined }));
        await tenant.job(id);
        answers += 2;
      } catch (error) {
        errors.push(String(error));
      }
    }
  };
  const callers = Array.from({ length: 4 }, caller);
  for (const port of ports) {
    const before = apis.get(port);
    before?.kill('SIGTERM');
    expect(await before?.exited).toEqual({ code: 0, signal: null });
    await stack.startApi({ PORT: String(port) });
    await balancer.knows(port);
  }
  over = true;
  await Promise.all(callers);
  expect(errors).toEqual([]);
  expect(answers).toBeGreaterThan(100);
});
