import { randomBytes } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { Grsai } from '@grsai-jobs/grsai';
import type { UnstoredOutput } from '@grsai-jobs/jobs';
import { createObjectStore } from '@grsai-jobs/object-store';
import { createSliceQueue } from '@grsai-jobs/runtime';
import { listen, startS3 } from '@grsai-jobs/testkit';
import { onTestFinished } from 'vitest';
import { runFreeStage } from '../src/runner/runner.ts';
import { createHostSlots, type HostSlots } from '../src/stages/outputs/host-slots.ts';
import { createStoreStage } from '../src/stages/store.ts';
import { acceptedJob, handlersOf, startedCall, startHarness } from './harness.ts';

/** A whole PNG of one pixel. */
export const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
export const DATA_URL = `data:image/png;base64,${PIXEL.toString('base64')}`;

type Serve = (response: ServerResponse) => void;

/** Ways in which a file is served, or is not. */
const FILES = {
  good: (response) => response.writeHead(200, { 'content-type': 'image/png' }).end(PIXEL),
  html: (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Just a moment</html>'),
  json: (response) => response.writeHead(200, { 'content-type': 'image/png' }).end('{"error":"gone"}'),
  empty: (response) => response.writeHead(200, { 'content-type': 'image/png', 'content-length': 0 }).end(),
  huge: (response) => response.writeHead(200, { 'content-length': 70 * 1024 * 1024 }).flushHeaders(),
  '401': (response) => response.writeHead(401).end(),
  '403': (response) => response.writeHead(403).end(),
  '404': (response) => response.writeHead(404).end(),
  '410': (response) => response.writeHead(410).end(),
  '429': (response) => response.writeHead(429).end(),
  '503': (response) => response.writeHead(503).end(),
  hangs: () => undefined,
  packed: (response) => {
    const bytes = gzipSync(PIXEL);
    response.writeHead(200, { 'content-type': 'image/png', 'content-length': bytes.length }).end(bytes);
  },
  // Without a length the end of the connection is that of the file.
  'cut in silence': (response) => {
    response.socket?.end(Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n'), PIXEL.subarray(0, -12)]));
  },
  cut: (response) => {
    response.writeHead(200, { 'content-length': 1000 }).write(PIXEL, () => response.destroy());
  },
} as const satisfies Readonly<Record<string, Serve>>;

export type FileKind = keyof typeof FILES;

/** The store stage of a worker on a real Redis, S3 and upstream; each run of the stage is made by the test, on its clock. */
export async function startStoreHarness(o: { hosts?: HostSlots } = {}) {
  const [harness, s3] = await Promise.all([startHarness(), startS3()]);
  const files = new Map<string, FileKind>();
  const fetched = new Map<string, number>();
  const upstream = { answer: {} as unknown, status: 200, asked: 0 };
  const url = await listen(
    createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://x');
      if (pathname.startsWith('/v1/')) {
        upstream.asked += 1;
        response.writeHead(upstream.status, { 'content-type': 'application/json' }).end(JSON.stringify(upstream.answer));
        return;
      }
      fetched.set(pathname, (fetched.get(pathname) ?? 0) + 1);
      FILES[files.get(pathname) ?? '404'](response);
    }),
    onTestFinished,
  );
  const grsai = new Grsai({ apiKey: `sk-0${randomBytes(16).toString('hex').slice(1)}`, baseUrls: [url] });
  const objects = createObjectStore({ ...s3, forcePathStyle: true, checksums: 'when_required', timeouts: { call: 2000 } });
  onTestFinished(async () => {
    await grsai.close();
    objects.close();
    await s3.stop();
  });
  const storage = {
    said: [] as string[],
    stored: () => void storage.said.push('stored'),
    failed: () => void storage.said.push('failed'),
  };
  const outputs = { objects, keyPrefix: '', storage };
  const wait = { ms: 0 };
  const backoff = () => wait.ms;
  const { runner } = handlersOf(harness);
  const store = createStoreStage({
    ...harness,
    ...outputs,
    backoff,
    grsai,
    slices: createSliceQueue(),
    hosts: o.hosts ?? createHostSlots(() => 16, harness.timers),
  });
  const stage = runFreeStage(runner, store);

  /** A job whose task is done and whose outputs wait. Links may be paths. `task: false`: there is none behind it. */
  async function storingJob(links: readonly UnstoredOutput[], o: { task?: boolean; livesMs?: number } = {}) {
    const job = await acceptedJob(harness);
    const submitting = await startedCall(harness, job.id);
    const unstored = {
      links: links.map((link) => (link.url === undefined ? link : { ...link, url: new URL(link.url, url).href })),
      dies_at: harness.clock.now() + (o.livesMs ?? 2 * 3600_000),
    };
    const task = o.task === false ? {} : { task: { base: url, id: '1-task' } };
    await harness.store.transitions.commit(submitting, { kind: 'start_storing', unstored, ...task });
    return job;
  }

  /** Runs the stage until it is done, with the clock moved by each wait; answers how long that took. */
  async function run(
    job: Awaited<ReturnType<typeof storingJob>>,
    untilMs = 4 * 3600_000,
    onWait: (ms: number) => void = () => {},
  ) {
    const began = harness.clock.now();
    while (harness.clock.now() - began < untilMs) {
      const left = await stage({ entry: { id: job.id, step: (await job.read()).step }, stalled: false });
      if (left.kind !== 'wait') break;
      await harness.clock.advance(Math.max(1, left.ms));
      onWait(harness.clock.now() - began);
    }
    return harness.clock.now() - began;
  }

  return { ...harness, grsai, s3, url, files, wait, fetched, upstream, storage, outputs, stage, storingJob, run };
}
