import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startProcess } from '@grsai-jobs/testkit';
import { Webhook } from 'standardwebhooks';
import { expect, onTestFinished, test } from 'vitest';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const images = readFileSync(at('../../../examples/images.ts'), 'utf8');
const example = (name: string): string => readFileSync(at(`examples/${name}`), 'utf8');

test('when the README shows code then it is an example word for word, and each example is shown', () => {
  const blocks = [...readFileSync(at('../README.md'), 'utf8').matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code);
  expect(blocks.sort()).toEqual([images, ...readdirSync(at('examples/')).map(example)].sort());
});

test('when 200 images are made, waited for, downloaded and verified then that is at most 15 lines of code', () => {
  const lines = images.split('\n');
  expect(lines.filter((line) => line.trim() !== '').length).toBeLessThanOrEqual(15);
});

const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
/** A webhook as the service sends it. */
function webhook(body: string) {
  const now = new Date();
  const headers = {
    'webhook-id': 'evt_1',
    'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign('evt_1', now, body),
  };
  return { method: 'POST', body, headers };
}

test('when the receiver of the README for Node gets a webhook twice then it handles it once', async () => {
  const env = { WEBHOOK_SECRET: secret, PORT: '0' };
  const receiver = await startProcess({ entry: at('examples/receiver-node.ts'), env, ready: /port: \d+/ });
  onTestFinished(() => receiver.stop());
  const port = /port: (\d+)/.exec(receiver.lines.map(({ raw }) => raw).join(' '))?.[1];
  const post = async (body: string) => (await fetch(`http://127.0.0.1:${port}/hooks`, webhook(body))).status;
  const completed = JSON.stringify({ id: 'evt_1', type: 'batch.completed', data: { id: 'batch_1', status: 'completed' } });
  const failed = JSON.stringify({ id: 'evt_2', type: 'job.failed', data: { id: 'job_1' } });
  expect([await post(completed), await post(completed), await post(failed)]).toEqual([204, 204, 204]);
  await receiver.waitForLine(/job\.failed job_1/);
  expect(receiver.lines.filter(({ raw }) => raw === 'batch_1 completed')).toHaveLength(1);
});

test('when the receiver of the README for the edge gets a webhook then it answers 204, and 400 to another secret', async () => {
  const { default: server } = await import('./examples/receiver-edge.ts');
  const before = process.env['WEBHOOK_SECRET'];
  onTestFinished(() => {
    if (before === undefined) delete process.env['WEBHOOK_SECRET'];
    else process.env['WEBHOOK_SECRET'] = before;
  });
  const ask = async (secrets: string) => {
    process.env['WEBHOOK_SECRET'] = secrets;
    const body = JSON.stringify({ id: 'evt_1', type: 'job.started', data: { id: 'job_1' } });
    return (await server.fetch(new Request('https://caller.example/hooks', webhook(body)))).status;
  };
  expect([await ask(`whsec_${Buffer.alloc(32, 2).toString('base64')},${secret}`), await ask('whsec_AAAA')]).toEqual([204, 400]);
});
