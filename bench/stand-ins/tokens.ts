import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { answerQuestions } from '../lib/children.ts';
import { sentNow } from '../lib/sent-at.ts';

const PIECES = 5;
const BEFORE_MS = 50;
const BETWEEN_MS = 20;

const chunk = (delta: object, finish: string | null = null): string =>
  `data: ${JSON.stringify({
    id: '1-4e5f6071-8293-4a4b-9c5d-6e7f80910a1b',
    object: 'chat.completion.chunk',
    created: 1_780_004_321,
    model: 'gemini-3.1-pro',
    choices: [{ index: 0, delta, finish_reason: finish }],
  })}\n\n`;

/** An upstream that streams each chat (upstream.md §6.2); its first piece says when it was sent. */
const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  request.resume().once('end', () => {
    void (async () => {
      await sleep(BEFORE_MS);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunk({ role: 'assistant', content: sentNow() }));
      for (let n = 1; n < PIECES; n += 1) {
        await sleep(BETWEEN_MS);
        response.write(chunk({ content: 'A small lamp turns in the fog. ' }));
      }
      response.end(`${chunk({}, 'stop')}data: [DONE]\n\n`);
    })();
  });
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
answerQuestions(async () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
