import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { listen, waitFor } from '@grsai-jobs/testkit';
import express from 'express';
import { expect, onTestFinished, test } from 'vitest';
import { createBodyBudget } from '../src/http/body-budget.ts';
import { readFileForm } from '../src/http/multipart-file.ts';

const MIB = 1024 * 1024;
const RULES = { fields: 4, fieldBytes: 100, fileBytes: 64 * MIB, held: 6 * MIB };

test('when whoever takes a file stops then no more of it is read, and when it goes on the file is whole', async () => {
  const budget = createBodyBudget({ bytes: 64 * MIB, bodyLimit: MIB });
  const goOn = Promise.withResolvers<void>();
  let came: IncomingMessage | undefined;
  const app = express().post('/', async (request, response) => {
    came = request;
    response.locals['principal'] = { tenant: 'acme' };
    const { file } = await readFileForm(request, response, { ...RULES, budget }, async ({ bytes }) => {
      await goOn.promise;
      let size = 0;
      for await (const chunk of bytes) size += chunk.length;
      return size;
    });
    response.json(file);
  });
  const url = await listen(createServer(app), onTestFinished);
  const sent = httpRequest(url, { method: 'POST', headers: { 'content-type': 'multipart/form-data; boundary=b' } });
  const answer = once(sent, 'response') as Promise<[IncomingMessage]>;
  sent.write('--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n');
  for (let n = 0; n < 64; n += 1) sent.write(Buffer.alloc(MIB, 10));
  sent.end('\r\n--b--\r\n');

  let [last, same] = [-1, 0];
  await waitFor(
    async () => {
      const now = came?.socket.bytesRead ?? 0;
      same = now > 64 * 1024 && now === last ? same + 1 : 0;
      last = now;
      return same > 10 || undefined;
    },
    { everyMs: 20, what: 'the sender to be held up' },
  );
  // Buffers of the socket and of the form.
  expect(last).toBeLessThan(4 * MIB);
  goOn.resolve();
  const [response] = await answer;
  expect(JSON.parse(String(await response.setEncoding('utf8').toArray()))).toBe(64 * MIB);
});
