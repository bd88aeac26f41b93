import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerQuestions } from '../lib/children.ts';

/**
 * Upstream and the receivers of webhooks, as light as they can be. `expect` starts a count anew; the first `hold` chat calls are then never
 * answered. `called` answers when so many calls were made, `last` when `jobs` webhooks have come. What a worker asks
 * beside its calls (credits, its key, whether the base is upstream's) is answered and not counted.
 */
export type SinksQuestion =
  | { readonly ask: 'urls' }
  /** Answers the addresses of so many more receivers, each on a port of its own. */
  | { readonly ask: 'receivers'; readonly count: number }
  | { readonly ask: 'expect'; readonly jobs: number; readonly hold?: number }
  | { readonly ask: 'called'; readonly times: number }
  | { readonly ask: 'last' };

export interface SinksUrls {
  readonly upstream: string;
  readonly receiver: string;
}

export interface SinksCount {
  /** From the first upstream call to the last webhook. */
  readonly seconds: number;
  readonly calls: number;
  /** More than `jobs` when some came twice. */
  readonly webhooks: number;
}

/** A valid answer of upstream's chat (upstream.md §6.1). */
const COMPLETION = JSON.stringify({
  id: '1-4e5f6071-8293-4a4b-9c5d-6e7f80910a1b',
  object: 'chat.completion',
  created: 1_780_004_321,
  model: 'gemini-3.1-pro',
  choices: [
    { index: 0, message: { role: 'assistant', content: 'A small lamp turns in the fog. '.repeat(8) }, finish_reason: 'stop' },
  ],
  usage: { prompt_tokens: 110, completion_tokens: 64, total_tokens: 174 },
});

/** A key is probed with a chat call of a model that does not exist (upstream.md §2); this is in its body. */
const PROBE = '-key-probe"';
const NO_SUCH_MODEL = JSON.stringify({ error: { message: 'Model not support' } });
const NO_SUCH_TASK = JSON.stringify({ error: 'result not exist, valid for 2 hours' });
const CREDITS = JSON.stringify({ code: 0, msg: 'success', data: { credits: 1_000_000 } });

class Count {
  readonly #seen = new Set<string>();
  readonly last = Promise.withResolvers<SinksCount>();
  readonly #jobs: number;
  readonly #hold: number;
  readonly #waiting = new Map<number, () => void>();
  #began = 0;
  #calls = 0;
  #webhooks = 0;

  constructor(jobs: number, hold: number) {
    this.#jobs = jobs;
    this.#hold = hold;
  }

  /** Counts a call and says whether it is to be answered. */
  call(): boolean {
    if (this.#calls === 0) this.#began = performance.now();
    this.#calls += 1;
    this.#waiting.get(this.#calls)?.();
    return this.#calls > this.#hold;
  }

  called(times: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#calls >= times) resolve();
      else this.#waiting.set(times, resolve);
    });
  }

  webhook(id: string): void {
    this.#webhooks += 1;
    this.#seen.add(id);
    if (this.#seen.size === this.#jobs)
      this.last.resolve({
        seconds: (performance.now() - this.#began) / 1000,
        calls: this.#calls,
        webhooks: this.#webhooks,
      });
  }
}

let count = new Count(0, 0);

const upstream: RequestListener = (request, response) => {
  const answer = (status: number, body: string) => response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  const isChat = request.url === '/v1/chat/completions';
  let probes = false;
  request.on('data', (chunk: Buffer) => {
    probes ||= isChat && chunk.includes(PROBE);
  });
  request.once('end', () => {
    if (probes) answer(400, NO_SUCH_MODEL);
    else if (isChat) {
      if (count.call()) answer(200, COMPLETION);
    } else if (request.method === 'POST') answer(200, CREDITS);
    else answer(404, NO_SUCH_TASK);
  });
};

const receiver: RequestListener = (request, response) => {
  request.resume().once('end', () => {
    response.writeHead(204).end();
    count.webhook(String(request.headers['webhook-id']));
  });
};

async function listen(answer: RequestListener): Promise<string> {
  const server = createServer({ keepAliveTimeout: 60_000 }, answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const urls: SinksUrls = { upstream: await listen(upstream), receiver: await listen(receiver) };

answerQuestions(async (question: SinksQuestion) => {
  switch (question.ask) {
    case 'urls':
      return urls;
    case 'receivers':
      return await Promise.all(Array.from({ length: question.count }, () => listen(receiver)));
    case 'expect':
      count = new Count(question.jobs, question.hold ?? 0);
      return undefined;
    case 'called':
      return await count.called(question.times);
    case 'last':
      return await count.last.promise;
  }
});
