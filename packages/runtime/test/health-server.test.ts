import { ODD_REQUESTS, sendBytes } from '@grsai-jobs/testkit';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type HealthRoute, startHealthServer } from '../src/health-server.ts';

async function start(routes: Readonly<Record<string, HealthRoute>> = {}) {
  const warn = vi.fn();
  const server = await startHealthServer({
    host: '127.0.0.1',
    port: 0,
    log: { warn },
    routes: { '/livez': async () => ({ ok: true, body: { status: 'ok' } }), ...routes },
  });
  onTestFinished(() => server.stop());
  return { ...server, warn, url: `http://127.0.0.1:${server.port}` };
}

test('when requests are odd then each is refused or its connection closed, and the server lives on', async () => {
  const server = await start();
  const answers = await Promise.all(
    ODD_REQUESTS.map(async ([what, bytes]) => [what, await sendBytes(server.port, bytes)] as const),
  );
  const wrong = answers.filter(([, { status }]) => status !== undefined && status !== 200 && (status < 400 || status > 499));
  expect(wrong).toEqual([]);
  expect(answers.find(([what]) => what === 'the target "//"')?.[1].status).toBe(404);
  expect((await fetch(`${server.url}/livez`)).status).toBe(200);
  expect(server.warn).not.toHaveBeenCalled();
});

test('when a route throws or its promise fails then the answer is 503 without the reason, which is logged', async () => {
  const server = await start({
    '/readyz': async () => Promise.reject(new Error('redis://:secret@host')),
    '/metrics': () => {
      throw new Error('redis://:secret@host');
    },
  });
  for (const path of ['/readyz', '/metrics']) {
    const answer = await fetch(server.url + path);
    expect([answer.status, await answer.text()]).toEqual([503, '{"status":"failing"}']);
  }
  expect(server.warn).toHaveBeenCalledTimes(2);
  expect((await fetch(`${server.url}/livez`)).status).toBe(200);
});

test('when hundreds ask at once then one look answers all of them', async () => {
  const look = vi.fn(async () => ({ ok: true, body: { status: 'ok' } }));
  const server = await start({ '/readyz': look });
  const answers = await Promise.all(Array.from({ length: 200 }, () => sendBytes(server.port, 'GET /readyz HTTP/1.0\r\n\r\n')));
  expect(answers.every(({ status }) => status === 200)).toBe(true);
  expect(look.mock.calls.length).toBeLessThan(10);
});

test('when a request would change something then it is refused', async () => {
  const server = await start();
  const statuses = ['POST', 'PUT', 'DELETE', 'PATCH'].map(
    async (method) => (await fetch(`${server.url}/livez`, { method })).status,
  );
  expect(await Promise.all(statuses)).toEqual([405, 405, 405, 405]);
  expect((await fetch(`${server.url}/livez`, { method: 'HEAD' })).status).toBe(200);
});
