import { startS3, waitFor } from '@grsai-jobs/testkit';
import { startAsked } from '../lib/children.ts';
import { chatJob } from '../lib/job.ts';
import { startOurApi, startReadyWorker } from '../lib/ours.ts';
import { startOwnRedis } from '../lib/redis.ts';
import type { Row } from '../lib/row.ts';
import { median } from '../lib/sample.ts';
import type { EmulatorBooks, EmulatorQuestion } from '../stand-ins/emulator.ts';
import type { LoadQuestion } from '../stand-ins/load.ts';

const IMAGES = 400;
const TASK_MS = 20_000;
const CHATS = 10;
/** Of 200 in flight a tenth is for calls, and a tenth of the others for tenants that have less than their share. */
const AT_ONCE = 162;

const IMAGE = { type: 'image', input: { model: 'nano-banana-2', prompt: 'a paper lighthouse on a foggy desk' } };
const { webhook: _webhook, ...CHAT } = chatJob('');

/** One API, one worker, and the defaults. A round has both sides: the quiet tenant alone, and beside the images of another. */
export const fairShare: Row = {
  name: 'fair-share',
  measures: [
    {
      what: `the longest of ${CHATS} chats of a quiet tenant while ${IMAGES} images of ${TASK_MS / 1000} s of another run`,
      against: 'the longest alone; the figure is what is more',
      unit: 's',
      aim: { is: 'at most', value: 0.3 },
    },
    { what: 'its first image to its submit meanwhile', against: '–', unit: 's', aim: { is: 'at most', value: 2 } },
  ],
  rounds: 3,
  seconds: 100,
  async run({ rounds, say }) {
    await using stack = new AsyncDisposableStack();
    const load = startAsked<LoadQuestion>(new URL('../stand-ins/load.ts', import.meta.url));
    stack.defer(() => load.stop());
    const chats: number[] = [];
    const images: number[] = [];
    const alone: number[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const seen = await oneRound((question) => load.ask(question));
      chats.push(seen.beside - seen.alone);
      images.push(seen.submit);
      alone.push(seen.alone);
      say(
        `round ${round}/${rounds}: chats ${seen.alone.toFixed(3)} s alone, ${seen.beside.toFixed(3)} s beside; image submitted after ${seen.submit.toFixed(2)} s`,
      );
    }
    return [{ figures: chats, notes: [`alone ${median(alone).toFixed(3)} s`] }, { figures: images }];
  },
};

async function oneRound(send: (question: LoadQuestion) => Promise<unknown>) {
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startOwnRedis());
  const s3 = await startS3();
  stack.defer(() => s3.stop());
  const emulator = startAsked<EmulatorQuestion>(new URL('../stand-ins/emulator.ts', import.meta.url));
  stack.defer(() => emulator.stop());
  const upstreamUrl = await emulator.ask<string>({ ask: 'start', options: { taskMs: TASK_MS, chatMs: 100 } });
  const api = await startOurApi(redis, { env: s3.env });
  stack.defer(() => api.stop());
  const worker = await startReadyWorker(redis, { upstreamUrl, env: s3.env });
  stack.defer(() => worker.stop());
  const quiet = await api.headersOf('quiet');
  const post = async (body: object, more: object = {}) => {
    const headers = { ...quiet, 'content-type': 'application/json', ...more };
    const answer = await fetch(`${api.url}/v1/jobs`, { method: 'POST', headers, body: JSON.stringify(body) });
    return (await answer.json()) as { id: string; status: string };
  };
  /** Seconds of the longest of ten chats, one after another. */
  const longest = async (): Promise<number> => {
    const times: number[] = [];
    for (let n = 0; n < CHATS; n += 1) {
      const began = performance.now();
      const { status } = await post(CHAT, { prefer: 'wait=60' });
      if (status !== 'succeeded') throw new Error(`a chat of the quiet tenant is ${status}`);
      times.push((performance.now() - began) / 1000);
    }
    return Math.max(...times);
  };
  await longest();
  const alone = await longest();
  const { url, headers } = api;
  await send({ url, headers, path: '/v1/jobs', body: JSON.stringify(IMAGE), connections: 32, count: IMAGES });
  const isBusy = async () => (await emulator.ask<EmulatorBooks>({ ask: 'books' })).tasks >= AT_ONCE;
  await Promise.race([waitFor(isBusy, { timeoutMs: 60_000, what: `${AT_ONCE} images in flight` }), worker.broken]);
  const began = performance.now();
  const { id } = await post(IMAGE);
  const isSubmitted = async () =>
    ((await (await fetch(`${url}/v1/jobs/${id}`, { headers: quiet })).json()) as { stage: string | null }).stage === 'generating';
  await waitFor(isSubmitted, { timeoutMs: 60_000, everyMs: 10, what: 'the image of the quiet tenant to be submitted' });
  const submit = (performance.now() - began) / 1000;
  return { alone, submit, beside: await longest() };
}
