import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { answerQuestions } from '../lib/children.ts';
import { nowMs, sentAt } from '../lib/sent-at.ts';

/** Sends one and the same POST at a steady pace, whether or not earlier ones are answered, and answers how long each took. */
export interface PacedQuestion {
  readonly url: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly perSecond: number;
  readonly seconds: number;
  /** Each is over when a piece of its answer says when it was sent, and takes as long as that piece took. */
  readonly firstPiece?: boolean;
}

/** Ms of each request, from its first byte to the whole of its answer. */
export type PacedAnswer = readonly number[];

answerQuestions(async ({ url, path, headers, body, ...o }: PacedQuestion): Promise<PacedAnswer> => {
  const pool = new Pool(url, { connections: 200, pipelining: 1 });
  const send = async (): Promise<number> => {
    const began = performance.now();
    const answer = await pool.request({
      ...{ method: 'POST', path, body, headers: { ...headers, 'content-type': 'application/json' } },
    });
    if (answer.statusCode !== 200) throw new Error(`answered ${answer.statusCode}: ${await answer.body.text()}`);
    if (!o.firstPiece) {
      await answer.body.text();
      return performance.now() - began;
    }
    let took: number | undefined;
    for await (const piece of answer.body) {
      const sent = sentAt(String(piece));
      if (sent !== undefined) took ??= nowMs() - sent;
    }
    if (took === undefined) throw new Error('no piece says when it was sent');
    return took;
  };
  const began = performance.now();
  const all: Promise<number>[] = [];
  for (let n = 0; n < o.perSecond * o.seconds; n += 1) {
    await sleep(Math.max(0, began + (1000 * n) / o.perSecond - performance.now()));
    all.push(send());
  }
  const times = await Promise.all(all);
  await pool.close();
  return times;
});
