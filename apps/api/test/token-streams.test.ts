import { request } from 'node:http';
import { waitFor } from '@grsai-jobs/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { type Api, chunk, startChat } from './streamed-chat.ts';

interface Event {
  id: number;
  event: string;
  data: { choices?: { delta?: { content?: string } }[]; attempt?: number; status?: string };
}

/** Reads the stream of a job as it comes; `pause` has it take nothing from its socket. */
function readStream(api: Pick<Api, 'tenant'>, url: string, id: string, after?: number) {
  const events: Event[] = [];
  const state = { status: 0, text: '', ended: false, bytes: 0 };
  const headers = { authorization: `Bearer ${api.tenant.key}`, ...(after === undefined ? {} : { 'last-event-id': `${after}` }) };
  const asked = request(`${url}/v1/jobs/${id}/stream`, { headers }, (response) => {
    state.status = response.statusCode ?? 0;
    response.setEncoding('utf8');
    response.on('data', (text: string) => {
      state.text += text;
      state.bytes += text.length;
      if (!state.text.slice(-text.length - 1).includes('\n\n')) return;
      const blocks = state.text.split('\n\n');
      state.text = blocks.pop() ?? '';
      for (const block of blocks) {
        const [, eventId] = /^id: (.*)$/m.exec(block) ?? [];
        if (eventId === undefined) continue;
        const [, name = ''] = /^event: (.*)$/m.exec(block) ?? [];
        events.push({
          id: Number(eventId),
          event: name,
          data: JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? '') as Event['data'],
        });
      }
    });
    response.on('close', () => {
      state.ended = true;
    });
  });
  asked.on('error', () => {
    state.ended = true;
  });
  asked.end();
  onTestFinished(() => void asked.destroy());
  return {
    events,
    state,
    socket: () => asked.socket,
    cut: () => asked.destroy(),
    last: () => events.at(-1)?.id ?? after ?? 0,
    said: (text: string) => waitFor(() => saidBy(events).endsWith(text), { what: `${text}, and not ${saidBy(events)}` }),
    ended: () => waitFor(() => state.ended),
  };
}

/** What a reader has who forgets all when it is told so. */
const saidBy = (events: readonly Event[]): string =>
  events.reduce((said, { event, data }) => (event === 'reset' ? '' : said + (data.choices?.[0]?.delta?.content ?? '')), '');
const names = (events: readonly Event[]) => events.map(({ event }) => event).filter((name) => name !== '');

test('when a chat is streamed then its pieces come before its end, with ids that grow', async () => {
  const { api, id, attempt } = await startChat();
  const reader = readStream(api, api.url, id);
  const call = await attempt();
  await call.write([chunk('one ')]);
  await reader.said('one ');
  await call.write([chunk('two '), { id: 'c', odd: true }]);
  await call.write([chunk('three', 'stop')]);
  await reader.said('three');
  expect(names(reader.events)).toEqual([]);
  await call.succeed('one two three');
  await reader.ended();
  expect(saidBy(reader.events)).toBe('one two three');
  expect(reader.events.at(-1)).toMatchObject({ event: 'end', data: { status: 'succeeded' } });
  const ids = reader.events.map((event) => event.id);
  expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
  // Somebody was told before that what it had counts no more.
  const reset = readStream(api, api.url, id, reader.last() - 2);
  await reset.ended();
  expect([saidBy(reset.events), names(reset.events)]).toEqual(['one two three', ['end']]);
  const again = readStream(api, api.url, id, reader.last());
  await again.ended();
  expect(again.state.status).toBe(204);
});

test('when a reader is cut three times and comes back by way of two processes then it has every token once', async () => {
  const { api, id, attempt } = await startChat();
  const other = await api.startAnother();
  const call = await attempt();
  const all: Event[] = [];
  let after: number | undefined;
  for (const [n, url] of [api.url, other.url, api.url].entries()) {
    const reader = readStream(api, url, id, after);
    await call.write([chunk(`a${n} `), chunk(`b${n} `)]);
    await reader.said(`b${n} `);
    reader.cut();
    // Nobody reads these as they come.
    await call.write([chunk(`c${n} `)]);
    all.push(...reader.events);
    after = reader.last();
  }
  const last = readStream(api, other.url, id, after);
  await call.write([chunk('end', 'stop')]);
  const whole = 'a0 b0 c0 a1 b1 c1 a2 b2 c2 end';
  await call.succeed(whole);
  await last.ended();
  all.push(...last.events);
  expect(saidBy(all)).toBe(whole);
  expect(names(all)).toEqual(['end']);
});

test('when a second attempt begins then readers are told to forget the first, and those who come back too', async () => {
  const { api, id, attempt } = await startChat();
  const reader = readStream(api, api.url, id);
  const first = await attempt();
  await first.write([chunk('lost words')]);
  await reader.said('lost words');
  const cut = reader.last();
  await first.release();
  const second = await attempt();
  await second.write([chunk('other ')]);
  await reader.said('other ');
  // The worker of the first one only froze.
  expect(await first.write([chunk(' more')])).toBe('stale');
  await second.write([chunk('words', 'stop')]);
  await second.succeed('other words');
  await reader.ended();
  expect(saidBy(reader.events)).toBe('other words');
  expect(names(reader.events)).toEqual(['reset', 'end']);
  expect(reader.events.find(({ event }) => event === 'reset')?.data).toEqual({ attempt: 2 });
  for (const [after, told] of [
    [cut, ['reset', 'end']],
    [undefined, ['end']],
  ] as const) {
    const back = readStream(api, api.url, id, after);
    await back.ended();
    expect([saidBy(back.events), names(back.events)]).toEqual(['other words', told]);
  }
});

test('when nothing of the stream is left then the record answers: those who had nothing as one piece, the others after a reset', async () => {
  const { api, id, attempt, redis } = await startChat();
  const reader = readStream(api, api.url, id);
  const call = await attempt();
  await call.write([chunk('one ')]);
  await reader.said('one ');
  const cut = reader.last();
  reader.cut();
  await call.write([chunk('two', 'stop')]);
  await call.succeed('one two');
  await redis.del(`{gj}:job:${id}:stream`);
  const fresh = readStream(api, api.url, id);
  await fresh.ended();
  expect([saidBy(fresh.events), names(fresh.events), fresh.events.length]).toEqual(['one two', ['end'], 2]);
  const back = readStream(api, api.url, id, cut);
  await back.ended();
  expect([saidBy(back.events), names(back.events)]).toEqual(['one two', ['reset', 'end']]);
  // It is cut again, behind each of the events of the record.
  for (const [n, { id: after }] of back.events.entries()) {
    const again = readStream(api, api.url, id, after);
    await again.ended();
    expect([...back.events.slice(0, n + 1), ...again.events]).toEqual(back.events);
  }
});

test('when pieces are lost on their way then the record has the rest of the text, and nothing twice', async () => {
  const { api, id, attempt } = await startChat();
  const reader = readStream(api, api.url, id);
  const call = await attempt();
  await call.write([chunk('one ')]);
  await reader.said('one ');
  call.drop(1);
  expect(await call.write([chunk('three')])).toBe('published');
  await call.succeed('one two three', { whole: false });
  await reader.ended();
  expect(saidBy(reader.events)).toBe('one two three');
  expect(names(reader.events)).toEqual(['end']);
});

test('when what was shown is no part of the answer then its reader is told to forget it', async () => {
  const { api, id, attempt } = await startChat();
  const reader = readStream(api, api.url, id);
  const call = await attempt();
  await call.write([chunk('short')]);
  await reader.said('short');
  await call.succeed('an answer that an earlier call had brought', { whole: false });
  await reader.ended();
  expect(saidBy(reader.events)).toBe('an answer that an earlier call had brought');
  expect(names(reader.events)).toEqual(['reset', 'end']);
});

test('when a job fails then its stream ends with that', async () => {
  const { api, id, attempt } = await startChat();
  const reader = readStream(api, api.url, id);
  const call = await attempt();
  await call.write([chunk('one ')]);
  await call.fail();
  await reader.ended();
  expect(reader.events.at(-1)).toMatchObject({ event: 'end', data: { status: 'failed' } });
});

test('when a reader takes nothing then it holds nobody up, and has every token when it goes on', async () => {
  const { api, id, attempt } = await startChat();
  const reader = readStream(api, api.url, id);
  const call = await attempt();
  await call.write([chunk('begin ')]);
  await reader.said('begin ');
  reader.socket()?.pause();
  // More than the sockets of both sides hold, in pieces that are kept no more behind the first 256 KiB.
  const parts = Array.from({ length: 150 }, (_, n) => `${n}:${'x'.repeat(40_000)} `);
  for (const part of parts) await call.write([chunk(part)]);
  const fast = readStream(api, api.url, id);
  const whole = `begin ${parts.join('')}end`;
  await call.write([chunk('end', 'stop')]);
  expect(reader.state.bytes).toBeLessThan(whole.length / 2);
  await call.succeed(whole, { whole: false });
  await fast.ended();
  expect(saidBy(fast.events) === whole).toBe(true);
  reader.socket()?.resume();
  await reader.ended();
  expect(saidBy(reader.events) === whole).toBe(true);
});

test('when its caller asked for no stream then the answer comes as one piece at the end', async () => {
  const { api, id, attempt } = await startChat({ input: { stream: false } });
  const reader = readStream(api, api.url, id);
  await (await attempt()).succeed('all of it', { whole: false });
  await reader.ended();
  expect([saidBy(reader.events), reader.events.length]).toEqual(['all of it', 2]);
});

test('when Redis is away for a moment then a reader has every token once', async () => {
  const { api, id, attempt } = await startChat();
  const reader = readStream(api, api.url, id);
  const call = await attempt();
  await call.write([chunk('one ')]);
  await reader.said('one ');
  api.proxy.dropAll();
  await call.write([chunk('two ')]);
  await call.write([chunk('three', 'stop')]);
  await reader.said('three');
  await call.succeed('one two three');
  await reader.ended();
  expect([saidBy(reader.events), names(reader.events)]).toEqual(['one two three', ['end']]);
});

test('when somebody of another tenant asks for a stream then there is none, and a bad Last-Event-ID is refused', async () => {
  const { api, id } = await startChat();
  const stranger = await api.clientOf('other');
  expect((await stranger.send('GET', `/v1/jobs/${id}/stream`)).status).toBe(404);
  const odd = await fetch(`${api.url}/v1/jobs/${id}/stream`, {
    headers: { authorization: `Bearer ${api.tenant.key}`, 'last-event-id': 'x' },
  });
  expect(odd.status).toBe(400);
  const head = await fetch(`${api.url}/v1/jobs/${id}/stream`, {
    method: 'HEAD',
    headers: { authorization: `Bearer ${api.tenant.key}` },
  });
  expect(head.status).toBe(200);
});

test('when many read one stream then each has all of it, and Redis sees one who subscribes', async () => {
  const { api, id, attempt, redis } = await startChat();
  const readers = Array.from({ length: 100 }, () => readStream(api, api.url, id));
  await waitFor(() => readers.every(({ state }) => state.status === 200));
  const [, listening] = (await redis.pubsub('NUMSUB', `{gj}:job:${id}:stream`)) as [string, number];
  expect(listening).toBe(1);
  const call = await attempt();
  await call.write([chunk('for '), chunk('all', 'stop')]);
  await call.succeed('for all');
  await Promise.all(readers.map((reader) => reader.ended()));
  expect(new Set(readers.map(({ events }) => saidBy(events)))).toEqual(new Set(['for all']));
  await waitFor(async () => ((await redis.pubsub('NUMSUB', `{gj}:job:${id}:stream`)) as [string, number])[1] === 0);
});
