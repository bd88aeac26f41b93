import { BATCH_EVENTS, DEFAULT_EVENTS } from '@grsai-jobs/jobs';
import { startReceiver } from '@grsai-jobs/testkit';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { chat, type Job, type Stack, shareStack } from './stack.ts';

interface Delivery {
  id: string;
  object: string;
  job_id: string;
  run: number;
  type: string;
  url: string;
  state: string;
  tries: number;
  attempts: { number: number; at: string; ok: boolean; phase: string; status?: number; answer?: string; error?: string }[];
  next_attempt_at: string | null;
  created_at: string;
  links: Record<string, string>;
}

interface Page {
  object: string;
  data: Delivery[];
  next_cursor: string | null;
}

const list = (stack: Stack, query = '') => stack.tenant.get<Page>(`/v1/webhook-deliveries${query}`);
const delivery = (stack: Stack, id: string) => stack.tenant.get<Delivery>(`/v1/webhook-deliveries/${id}`);
const send = async (stack: Stack, body: object) => (await stack.tenant.post<Job>('/v1/jobs', body)).id;
const succeeded = (job: string, run = 1) => `evt_${job.slice(4)}_${run}_job_succeeded`;

/** Waits until the delivery is in this state. */
const reaches = async (stack: Stack, id: string, state: string): Promise<Delivery> => {
  await expect.poll(async () => (await delivery(stack, id)).state, { timeout: 20_000 }).toBe(state);
  return await delivery(stack, id);
};

const freshStack = shareStack();

/** Another receiver than the stack's own, so another endpoint. */
async function anotherReceiver() {
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  return receiver;
}

test('a delivery shows each attempt with the phase it ended in, status, answer and duration, and when the next one is made', async () => {
  const stack = await freshStack();
  const gone = await anotherReceiver();
  await gone.stop();
  stack.receiver.respond({ status: 503, body: 'x'.repeat(3000) });
  const [refusing, silent] = await Promise.all([
    send(stack, chat(stack.receiver)),
    send(stack, chat(gone, 'Say hello', { webhook: { url: gone.url } })),
  ]);
  await expect.poll(async () => (await list(stack)).data.map(({ tries }) => tries), { timeout: 20_000 }).toEqual([1, 1]);
  const refused = await delivery(stack, succeeded(refusing));
  expect(refused).toEqual({
    id: succeeded(refusing),
    object: 'webhook_delivery',
    job_id: refusing,
    run: 1,
    type: 'job.succeeded',
    url: stack.receiver.url,
    state: 'pending',
    tries: 1,
    attempts: [
      {
        number: 1,
        at: expect.stringMatching(/^\d{4}-.*Z$/),
        duration_ms: expect.any(Number),
        ok: false,
        phase: 'response',
        status: 503,
        answer: 'x'.repeat(2048),
      },
    ],
    next_attempt_at: expect.stringMatching(/^\d{4}-.*Z$/),
    created_at: expect.stringMatching(/^\d{4}-.*Z$/),
    links: { self: `/v1/webhook-deliveries/${succeeded(refusing)}`, job: `/v1/jobs/${refusing}` },
  });
  expect(Date.parse(refused.next_attempt_at ?? '')).toBeGreaterThan(Date.parse(refused.attempts[0]?.at ?? ''));
  const unheard = await delivery(stack, succeeded(silent));
  expect(unheard.attempts).toMatchObject([{ ok: false, phase: 'connect', error: expect.stringContaining('ECONNREFUSED') }]);
  for (const { attempts } of (await list(stack)).data) expect(attempts[0]).not.toHaveProperty('answer');
});

test('the list has the newest first, page by page without gaps, and filters by job, state, type and endpoint', async () => {
  const stack = await freshStack();
  const other = await anotherReceiver();
  other.respond(500);
  const ids: string[] = [];
  for (const [i, receiver] of [stack.receiver, other, stack.receiver, stack.receiver].entries()) {
    const id = await send(stack, chat(receiver, `job ${i}`));
    await stack.tenant.finished(id);
    ids.unshift(id);
  }
  const canceled = await send(stack, chat(stack.receiver, 'slow [[chat-ms=60000]]'));
  await stack.emulator.waitFor(() => stack.emulator.requests.some(({ body }) => JSON.stringify(body).includes('slow')));
  await stack.tenant.send('POST', `/v1/jobs/${canceled}/cancel`);
  await stack.tenant.finished(canceled);
  await stack.receiver.waitFor(4);
  const all = [`evt_${canceled.slice(4)}_1_job_canceled`, ...ids.map((id) => succeeded(id))];
  const idsOf = (page: Page) => page.data.map(({ id }) => id);
  expect(idsOf(await list(stack))).toEqual(all);

  const walked: string[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: Page = await list(stack, `?limit=2${cursor ? `&cursor=${cursor}` : ''}`);
    expect(page.object).toBe('list');
    walked.push(...idsOf(page));
    cursor = page.next_cursor;
  }
  expect(walked).toEqual(all);

  await expect.poll(async () => idsOf(await list(stack, '?state=delivered')), { timeout: 10_000 }).toHaveLength(4);
  const failing = succeeded(ids[2] ?? '');
  expect(idsOf(await list(stack, '?state=pending,failed'))).toEqual([failing]);
  expect(idsOf(await list(stack, '?type=job.canceled'))).toEqual([all[0]]);
  expect(idsOf(await list(stack, '?type=job.succeeded,job.failed'))).toEqual(all.slice(1));
  expect(idsOf(await list(stack, `?url=${encodeURIComponent(`${other.url}?order=1`)}`))).toEqual([failing]);
  expect(idsOf(await list(stack, `?job_id=${canceled}`))).toEqual([all[0]]);
  expect(idsOf(await list(stack, `?job_id=${canceled}&type=job.succeeded`))).toEqual([]);
  expect(idsOf(await list(stack, `?job_id=job_${'0'.repeat(26)}`))).toEqual([]);
  const { links } = await stack.tenant.get<{ links: { deliveries: string } }>(`/v1/jobs/${canceled}`);
  expect(idsOf(await stack.tenant.get<Page>(links.deliveries))).toEqual([all[0]]);
});

test('an id in the list whose delivery is gone is passed over', async () => {
  const stack = await freshStack();
  const ids = [];
  for (const n of [1, 2, 3]) {
    const id = await send(stack, chat(stack.receiver, `job ${n}`));
    await stack.tenant.finished(id);
    ids.unshift(succeeded(id));
  }
  await stack.receiver.waitFor(3);
  const redis = new Redis(stack.redis.url);
  await redis.del(`{gj}:delivery:${ids[1]}`);
  redis.disconnect();
  const found = (await list(stack, '?type=job.succeeded&limit=2')).data.map(({ id }) => id);
  expect(found).toEqual([ids[0], ids[2]]);
  expect((await list(stack)).data.map(({ id }) => id)).toEqual([ids[0], ids[2]]);
  expect((await stack.tenant.send('GET', `/v1/webhook-deliveries/${ids[1]}`)).status).toBe(404);
});

const resend = async (stack: Stack, id: string) => {
  const answer = await stack.tenant.send('POST', `/v1/webhook-deliveries/${id}/resend`);
  return { status: answer.status, body: (await answer.json()) as Delivery & { code: string } };
};

test('a delivered webhook that is resent comes once more with its id, a new timestamp and a signature that fits', async () => {
  const stack = await freshStack();
  const id = succeeded(await send(stack, chat(stack.receiver)));
  await reaches(stack, id, 'delivered');
  // The timestamp is in whole seconds: the second try has to lie in another one.
  const [first] = await stack.receiver.waitFor(1);
  await expect.poll(() => Math.floor(Date.now() / 1000)).toBeGreaterThan(Number(first?.headers['webhook-timestamp']));
  expect(await resend(stack, id)).toMatchObject({ status: 202, body: { id, state: 'pending', tries: 1 } });
  const [, second] = await stack.receiver.waitFor(2);
  expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
  expect(Number(second?.headers['webhook-timestamp'])).toBeGreaterThan(Number(first?.headers['webhook-timestamp']));
  expect([first?.signature, second?.signature]).toEqual(['valid', 'valid']);
  expect(await reaches(stack, id, 'delivered')).toMatchObject({ tries: 2, attempts: [{ number: 1 }, { number: 2, ok: true }] });
});

test('of many resends at once one makes an attempt and the others are refused', async () => {
  const stack = await freshStack();
  const id = succeeded(await send(stack, chat(stack.receiver)));
  await reaches(stack, id, 'delivered');
  stack.receiver.respond({ status: 200, delayMs: 1500 });
  const answers = await Promise.all(Array.from({ length: 8 }, () => resend(stack, id)));
  expect(answers.map(({ status }) => status).sort()).toEqual([202, ...Array(7).fill(409)]);
  await stack.receiver.waitFor(2);
  expect(await resend(stack, id), 'while it is being tried').toMatchObject({ status: 409, body: { code: 'conflict' } });
  expect(await reaches(stack, id, 'delivered')).toMatchObject({ tries: 2 });
  expect(stack.receiver.received).toHaveLength(2);
});

test('a resend against a delivery that is being attempted is refused, and one that waits for a later attempt is made at once and goes on with its schedule', async () => {
  const stack = await freshStack();
  stack.receiver.respond({ status: 500, delayMs: 1500 }, 500, 500, 200);
  const id = succeeded(await send(stack, chat(stack.receiver)));
  await stack.receiver.waitFor(1);
  expect(await resend(stack, id)).toMatchObject({ status: 409 });
  await expect.poll(async () => (await delivery(stack, id)).tries, { timeout: 10_000 }).toBe(1);
  // The second try, in 5 s, and the third, minutes later, are scheduled whatever is resent in between.
  expect(await resend(stack, id)).toMatchObject({ status: 202, body: { state: 'pending', tries: 1 } });
  await expect.poll(async () => (await delivery(stack, id)).tries, { timeout: 4000 }).toBe(2);
  await expect.poll(async () => (await delivery(stack, id)).tries, { timeout: 20_000 }).toBe(3);
  const waiting = await delivery(stack, id);
  expect(Date.parse(waiting.next_attempt_at ?? '') - Date.now()).toBeGreaterThan(60_000);
  expect(await resend(stack, id)).toMatchObject({ status: 202 });
  expect(await reaches(stack, id, 'delivered')).toMatchObject({ tries: 4 });
  expect(stack.receiver.received).toHaveLength(4);
});

test('when a resend fails then no other attempt follows, and what was delivered before stays so', async () => {
  const stack = await freshStack();
  const id = succeeded(await send(stack, chat(stack.receiver)));
  await reaches(stack, id, 'delivered');
  stack.receiver.respond(500);
  expect((await resend(stack, id)).status).toBe(202);
  await expect.poll(async () => (await delivery(stack, id)).tries, { timeout: 10_000 }).toBe(2);
  expect(await delivery(stack, id)).toMatchObject({
    state: 'delivered',
    next_attempt_at: null,
    attempts: [{ ok: true }, { ok: false, status: 500 }],
  });
});

test('a resend goes out to a disabled endpoint, and a 2xx enables it again', async () => {
  const stack = await freshStack();
  stack.receiver.respond(410, 200);
  const first = succeeded(await send(stack, chat(stack.receiver)));
  await reaches(stack, first, 'failed');
  const skipped = succeeded(await send(stack, chat(stack.receiver)));
  await reaches(stack, skipped, 'skipped');
  expect((await resend(stack, skipped)).status).toBe(202);
  expect(await reaches(stack, skipped, 'delivered')).toMatchObject({ tries: 1 });
  await reaches(stack, succeeded(await send(stack, chat(stack.receiver))), 'delivered');
});

test("an old run's delivery that is resent reports that run's state", async () => {
  const stack = await freshStack();
  const job = await send(stack, chat(stack.receiver, 'lost [[fault=F4:status=503]]', { on_unknown_submit: 'fail' }));
  const failed = await stack.tenant.finished(job);
  expect(failed.status).toBe('failed');
  const first = `evt_${job.slice(4)}_1_job_failed`;
  await reaches(stack, first, 'delivered');
  await stack.tenant.post(`/v1/jobs/${job}/retry`, { mode: 'resubmit' });
  expect(await stack.tenant.finished(job)).toMatchObject({ status: 'succeeded', run: 2 });
  const second = succeeded(job, 2);
  await reaches(stack, second, 'delivered');

  stack.receiver.clear();
  expect((await resend(stack, first)).status).toBe(202);
  const [old] = await stack.receiver.waitFor(1);
  expect(old?.json).toMatchObject({
    id: first,
    type: 'job.failed',
    data: { id: job, status: 'failed', run: 1, error: { code: failed.error?.code }, result: null },
  });
  await reaches(stack, first, 'delivered');
});

test('when a job is deleted while its delivery is pending then each attempt from then on says id, status and deleted, a resend too', async () => {
  const stack = await freshStack();
  stack.receiver.respond(503, 200);
  const job = await send(stack, chat(stack.receiver));
  const id = succeeded(job);
  await expect.poll(async () => (await list(stack)).data.map(({ tries }) => tries), { timeout: 20_000 }).toEqual([1]);
  expect((await stack.tenant.send('DELETE', `/v1/jobs/${job}`)).status).toBe(204);
  expect((await list(stack, `?job_id=${job}`)).data).toMatchObject([{ id, state: 'pending' }]);
  const deleted = { id, type: 'job.succeeded', data: { id: job, status: 'succeeded', deleted: true } };
  const [, thin] = await stack.receiver.waitFor(2, { timeoutMs: 20_000 });
  expect(thin?.json).toMatchObject(deleted);
  await reaches(stack, id, 'delivered');
  expect((await resend(stack, id)).status).toBe(202);
  const [, , again] = await stack.receiver.waitFor(3);
  expect(again?.json).toMatchObject(deleted);
  expect(again?.signature).toBe('valid');
});

const recover = async (stack: Stack, body: unknown) => await stack.tenant.send('POST', '/v1/webhook-deliveries/recover', body);

test('when an endpoint that said 410 is recovered then all that failed or was skipped since then comes, and nothing else', async () => {
  const stack = await freshStack();
  const [broken, well] = [await anotherReceiver(), stack.receiver];
  const kept = await send(stack, chat(well));
  await reaches(stack, succeeded(kept), 'delivered');
  broken.respond(410);
  const lost: string[] = [];
  for (let n = 0; n < 3; n += 1) {
    const job = await send(stack, chat({ url: `${broken.url}?n=${n}` }, `lost ${n}`));
    await expect.poll(async () => (await delivery(stack, succeeded(job))).state, { timeout: 20_000 }).not.toBe('pending');
    lost.push(succeeded(job));
  }
  const states = async () => await Promise.all(lost.map(async (id) => (await delivery(stack, id)).state));
  expect(await states()).toEqual(['failed', 'skipped', 'skipped']);
  expect(broken.received).toHaveLength(1);
  const types = [...DEFAULT_EVENTS, ...BATCH_EVENTS].join(',');
  const remaining = `/v1/webhook-deliveries?state=failed,skipped&type=${types}&url=${encodeURIComponent(broken.url)}`;
  expect((await stack.tenant.get<Page>(remaining)).data.map(({ id }) => id)).toEqual([...lost].reverse());
  broken.clear();
  broken.respond(200);
  const since = (await delivery(stack, lost[1] ?? '')).created_at;
  const answer = await recover(stack, { url: broken.url, since });
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([202, '2']);
  expect(await answer.json()).toEqual({ object: 'webhook_recovery', url: broken.url, since, links: { remaining } });
  await Promise.all(lost.slice(1).map((id) => reaches(stack, id, 'delivered')));
  expect(broken.received.map(({ headers }) => headers['webhook-id']).sort()).toEqual(lost.slice(1).sort());
  expect((await stack.tenant.get<Page>(remaining)).data.map(({ id }) => id)).toEqual([lost[0]]);
  expect(well.received).toHaveLength(1);
  const after = await send(stack, chat(broken));
  await reaches(stack, succeeded(after), 'delivered');
});

test("another tenant's recovery of the same address touches nothing of mine, and a wrong one is refused", async () => {
  const stack = await freshStack();
  const broken = await anotherReceiver();
  broken.respond(410);
  const id = succeeded(await send(stack, chat(broken)));
  await reaches(stack, id, 'failed');
  const since = '2026-01-01T00:00:00+02:00';
  const theirs = await stack.admin.send('POST', '/v1/webhook-deliveries/recover', { url: broken.url, since });
  expect(theirs.status).toBe(202);
  for (const body of [
    { url: broken.url },
    { since },
    { url: 'nonsense', since },
    { url: 'mailto:a@b', since },
    { url: broken.url, since: 'now' },
    { url: broken.url, since, x: 1 },
  ])
    expect([body, (await recover(stack, body)).status]).toEqual([body, 422]);
  broken.respond(200);
  expect((await recover(stack, { url: broken.url, since })).status).toBe(202);
  await reaches(stack, id, 'delivered');
  expect(broken.received).toHaveLength(2);
});
