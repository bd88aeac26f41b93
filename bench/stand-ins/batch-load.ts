import { request } from 'undici';
import { answerQuestions } from '../lib/children.ts';
import { batchLine } from '../lib/job.ts';

/** `prepare` makes the lines of the next `send`, which answers the seconds from its first byte to the 202. */
export type BatchLoadQuestion =
  | { readonly ask: 'prepare'; readonly lines: number }
  | { readonly ask: 'send'; readonly url: string; readonly headers: Readonly<Record<string, string>> };

let body = Buffer.alloc(0);

answerQuestions(async (question: BatchLoadQuestion): Promise<number> => {
  if (question.ask === 'prepare') {
    body = Buffer.from(Array.from({ length: question.lines }, (_, i) => `${JSON.stringify(batchLine(i))}\n`).join(''));
    return body.length;
  }
  const began = performance.now();
  const answer = await request(`${question.url}/v1/batches`, {
    method: 'POST',
    headers: { ...question.headers, 'content-type': 'application/x-ndjson' },
    body,
  });
  const text = await answer.body.text();
  if (answer.statusCode !== 202) throw new Error(`answered ${answer.statusCode}: ${text.slice(0, 500)}`);
  return (performance.now() - began) / 1000;
});
