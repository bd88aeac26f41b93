import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { startApi } from './api.ts';

test('when an API is stopped then it still answers for DRAIN_S, is not ready, ends each connection with its answer, and then listens no more', async () => {
  const api = await startApi();
  const draining = await api.startAnother({ DRAIN_S: '1' });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  const ask = async (path: string, headers: Record<string, string> = {}) => {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      request(`${draining.url}${path}`, { agent, headers }, resolve).on('error', reject).end();
    });
    return { status: answer.statusCode, connection: answer.headers.connection, body: await text(answer) };
  };
  expect(await ask('/livez')).toMatchObject({ status: 200, connection: 'keep-alive' });
  let stopped = false;
  const stop = draining.stop().then((failures) => {
    stopped = true;
    return failures;
  });
  const unready = await ask('/readyz');
  expect(unready).toMatchObject({ status: 503, connection: 'close' });
  expect(JSON.parse(unready.body)).toMatchObject({ failing: ['accepting'] });
  expect(await ask('/livez')).toMatchObject({ status: 200, connection: 'close' });
  expect(await ask('/livez', { expect: '100-continue' })).toMatchObject({ status: 200, connection: 'close' });
  expect(stopped).toBe(false);
  expect(await stop).toEqual([]);
  await expect(ask('/livez')).rejects.toThrow('ECONNREFUSED');
});
