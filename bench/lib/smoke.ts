import { waitFor } from '@grsai-jobs/testkit';
import type { PicturesBooks, PicturesQuestion, PicturesUrls } from '../stand-ins/pictures.ts';
import { startAsked } from './children.ts';
import { contenders, missing, type StartContender } from './contender.ts';
import { benchChat, benchImage } from './job.ts';

/**
 * Whether every side of the comparisons does the whole job: one chat and one image each, to records that say so, an object in the bucket, and two
 * webhooks whose signatures are good. @throws with what is wrong.
 */
export async function smoke(say: (line: string) => void): Promise<void> {
  for (const [who, start] of contenders()) {
    const began = performance.now();
    await oneOfEach(start);
    say(`${who}: a chat and an image, from record to signed webhook (${((performance.now() - began) / 1000).toFixed(1)} s)`);
  }
  const left = missing('graphile-worker');
  if (left !== undefined) say(`graphile-worker: ${left}`);
}

async function oneOfEach(start: StartContender): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const pictures = startAsked<PicturesQuestion>(new URL('../stand-ins/pictures.ts', import.meta.url));
  stack.defer(() => pictures.stop());
  const { upstream, receiver, s3, s3Env } = await pictures.ask<PicturesUrls>({ ask: 'start', options: { taskMs: 1000 } });
  const contender = await start(stack, { upstream, s3, s3Env });
  await pictures.ask({ ask: 'secret', secret: contender.secret });
  await contender.add([{ ...benchChat(receiver), metadata: { n: '1' } }, benchImage(2, receiver)]);
  const worker = await contender.startWorker();
  const books = () => pictures.ask<PicturesBooks>({ ask: 'books' });
  const told = async () => {
    const { succeeded, failed } = await books();
    return succeeded + failed === 2;
  };
  await Promise.race([waitFor(told, { timeoutMs: 30_000, what: 'two webhooks' }), worker.broken]);
  const { paid, paidTwice, stored, succeeded, badSignatures, toldTwice } = await books();
  const statuses = await contender.statuses();
  const seen = JSON.stringify({ paid, paidTwice, stored, succeeded, badSignatures, toldTwice, statuses });
  const wanted = JSON.stringify({
    ...{ paid: 1, paidTwice: 0, stored: 1, succeeded: 2, badSignatures: 0, toldTwice: 0 },
    statuses: { succeeded: 2 },
  });
  if (seen !== wanted) throw new Error(`a chat and an image came to ${seen}, wanted ${wanted}`);
}
