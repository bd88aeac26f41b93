import { Pool } from 'undici';
import { answerQuestions } from '../lib/children.ts';

/** Sends POSTs over `connections` kept connections, for `seconds` or until `count` are answered. */
export interface LoadQuestion {
  readonly url: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Several are sent in turn. */
  readonly body: string | readonly string[];
  /** The status of a good answer; 202 by default. */
  readonly expects?: number;
  readonly connections: number;
  readonly seconds?: number;
  readonly count?: number;
}

export interface LoadAnswer {
  readonly requests: number;
  readonly seconds: number;
}

answerQuestions(async (load: LoadQuestion): Promise<LoadAnswer> => {
  const pool = new Pool(load.url, { connections: load.connections, pipelining: 1 });
  const headers = { ...load.headers, 'content-type': 'application/json' };
  const began = performance.now();
  const until = began + (load.seconds ?? Number.POSITIVE_INFINITY) * 1000;
  let left = load.count ?? Number.POSITIVE_INFINITY;
  let requests = 0;
  let sent = 0;
  const bodies = typeof load.body === 'string' ? [load.body] : load.body;

  async function one(): Promise<void> {
    while (left > 0 && performance.now() < until) {
      left -= 1;
      const one = bodies[sent++ % bodies.length] ?? '';
      const { statusCode, body } = await pool.request({ method: 'POST', path: load.path, headers, body: one });
      if (statusCode !== (load.expects ?? 202)) throw new Error(`answered ${statusCode}: ${await body.text()}`);
      await body.dump();
      requests += 1;
    }
  }
  await Promise.all(Array.from({ length: load.connections }, one));
  const seconds = (performance.now() - began) / 1000;
  await pool.close();
  return { requests, seconds };
});
