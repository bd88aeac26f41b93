import { Queue } from 'bullmq';
import { answerQuestions } from '../lib/children.ts';
import { batchLine } from '../lib/job.ts';
import type { Connection } from '../lib/redis.ts';

/** Adds the items of a batch by `addBulk`, a thousand at a time; nothing is parsed, checked or kept beside the entries. */
export interface BulkQuestion {
  readonly redis: Connection;
  readonly lines: number;
}

const AT_ONCE = 1000;

let queue: Queue | undefined;

/** Answers in seconds. */
answerQuestions(async ({ redis, lines }: BulkQuestion): Promise<number> => {
  queue ??= new Queue('call', { connection: redis });
  await queue.waitUntilReady();
  const items = Array.from({ length: lines }, (_, i) => ({ name: 'call', data: batchLine(i), opts: { removeOnComplete: true } }));
  const began = performance.now();
  for (let added = 0; added < lines; added += AT_ONCE) await queue.addBulk(items.slice(added, added + AT_ONCE));
  return (performance.now() - began) / 1000;
});
