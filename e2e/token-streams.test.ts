import { freePort, waitFor } from '@grsai-jobs/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { chat, type Job, type Stack, shareStack, startStack } from './stack.ts';

/** Answers of chats while they come in, over both apps as processes. */

const freshStack = shareStack();

interface Event {
  id: number;
  name: string;
  data: { choices?: { delta?: { content?: string } }[]; attempt?: number; status?: string };
  at: number;
}

/** Reads the stream of a job until it ends, or is left. */
function read(stack: Stack, url: string, id: string, after = 0) {
  const leave = new AbortController();
  onTestFinished(() => leave.abort());
  const events: Event[] = [];
  const ended = (async () => {
    const headers = { authorization: `Bearer ${stack.tenant.key}`, ...(after === 0 ? {} : { 'last-event-id': `${after}` }) };
    const response = await fetch(`${url}/v1/jobs/${id}/stream`, { headers, signal: leave.signal });
    let text = '';
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const blocks = (text + chunk).split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const {
          id: eventId,
          event: name = '',
          data,
        } = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s)));
        if (eventId) events.push({ id: Number(eventId), name, data: JSON.parse(data ?? '') as Event['data'], at: Date.now() });
      }
    }
  })();
  ended.catch(() => undefined);
  return { events, ended, leave: () => leave.abort(), last: () => events.at(-1)?.id ?? after };
}

/** What somebody has who forgets all when he is told so. */
const saidBy = (events: readonly Event[]): string =>
  events.reduce((said, { name, data }) => (name === 'reset' ? '' : said + (data.choices?.[0]?.delta?.content ?? '')), '');
const named = (events: readonly Event[]) => events.flatMap(({ name }) => (name === '' ? [] : [name]));

async function ask(stack: Stack, prompt: string): Promise<string> {
  const body = chat(stack.receiver, prompt);
  return (await stack.tenant.post<Job>('/v1/jobs', { ...body, input: { ...body.input, stream: true } })).id;
}

const WORDS = Array.from({ length: 60 }, (_, n) => `w${n}`).join(' ');

test('when a stream is read by way of two API processes with three cuts then every token comes once', async () => {
  const stack = await freshStack();
  const port = await freePort();
  await stack.startApi({ PORT: String(port) });
  const urls = [stack.url, `http://127.0.0.1:${port}`];
  const id = await ask(stack, `[[chat-ms=1500]][[pieces=60]]${WORDS}`);
  const all: Event[] = [];
  for (const n of [0, 1, 2]) {
    const reader = read(stack, urls[n % 2] ?? '', id, all.at(-1)?.id);
    await waitFor(() => reader.events.length >= 3, { everyMs: 5 });
    reader.leave();
    await reader.ended.catch(() => undefined);
    all.push(...reader.events);
  }
  expect(named(all)).toEqual([]);
  const last = read(stack, urls[1] ?? '', id, all.at(-1)?.id);
  await last.ended;
  all.push(...last.events);
  expect(saidBy(all)).toBe(`You said: ${WORDS}`);
  expect(named(all)).toEqual(['end']);
  expect(stack.emulator.ledger.submits).toHaveLength(1);
});

test('when the worker is killed in the middle of an answer then readers are told to forget it, and have the next one whole', async () => {
  const stack = await startStack({ kills: true });
  const id = await ask(stack, `[[chat-ms=3000]][[pieces=60]]${WORDS}`);
  const reader = read(stack, stack.url, id);
  await waitFor(() => saidBy(reader.events).includes('w5'), { everyMs: 5 });
  stack.worker.kill('SIGKILL');
  await stack.worker.exited;
  await stack.startWorker();
  await reader.ended;
  expect(saidBy(reader.events)).toBe(`You said: ${WORDS}`);
  expect(named(reader.events)).toEqual(['reset', 'end']);
  expect(reader.events.find(({ name }) => name === 'reset')?.data).toEqual({ attempt: 2 });
  expect(await stack.tenant.job(id)).toMatchObject({ status: 'succeeded' });
});

test('when an answer is longer than Redis keeps of it then who stays has it as it comes, and who comes late has it at the end', async () => {
  const stack = await freshStack();
  const id = await ask(stack, `[[chat-ms=2000]][[pieces=50]][[reply-bytes=800000]]${WORDS}`);
  const early = read(stack, stack.url, id);
  await waitFor(() => saidBy(early.events).length > 500_000, { everyMs: 5 });
  expect(named(early.events)).toEqual([]);
  const late = read(stack, stack.url, id);
  await Promise.all([early.ended, late.ended]);
  const whole = saidBy(early.events);
  expect(whole).toHaveLength(800_000);
  expect(saidBy(late.events) === whole).toBe(true);
  expect([named(early.events), named(late.events)]).toEqual([['end'], ['end']]);
});
