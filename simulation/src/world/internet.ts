import { type Download, type Egress, EgressError, type PostResult } from '@grsai-jobs/egress';
import type { Random } from '../random.ts';
import type { VirtualTime } from '../time/virtual-time.ts';
import type { SimulatedProcess } from './process.ts';
import { type Answered, request } from './request.ts';
import type { Upstream } from './upstream.ts';

/** How a receiver of webhooks answers. */
export type ReceiverCondition = 'well' | 'failing' | 'silent' | 'away' | 'gone';

/** One webhook that a receiver has taken. */
export interface Delivered {
  readonly id: string;
  readonly at: number;
  readonly type: string;
  /** The job, or batch, that it is about. */
  readonly subject: string;
  readonly run: number;
}

/** What processes reach by the egress guard: receivers of webhooks by host, and upstream's files. */
export class Internet {
  readonly receivers = new Map<string, ReceiverCondition>();
  readonly delivered: Delivered[] = [];
  /** Whether files are served. */
  files: 'well' | 'failing' = 'well';
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #upstream: Upstream;

  constructor(time: VirtualTime, random: Random, upstream: Upstream) {
    this.#time = time;
    this.#random = random;
    this.#upstream = upstream;
  }

  of(process: SimulatedProcess): Pick<Egress, 'post' | 'download' | 'checkUrl'> {
    return {
      checkUrl: () => undefined,
      post: async ({ url, headers, body, signal, totalMs = 15_000 }) => {
        const startedAt = this.#time.now();
        const ended = (more: Partial<PostResult>): PostResult => ({
          ...{ ok: false, phase: 'response', answer: '', durationMs: this.#time.now() - startedAt },
          ...more,
        });
        try {
          const status = await request<number>({
            time: this.#time,
            gate: process,
            thereInMs: this.#random.whole(1, 10),
            arrive: () => this.#receive(new URL(url).host, headers, String(body)),
            signal,
            limitMs: totalMs,
            broken: (by) => new EgressError(by === 'signal' ? 'aborted' : 'timeout', 'no answer', { phase: 'response' }),
          });
          return ended({ ok: status === 200, status });
        } catch (error) {
          const { code, message, phase = 'connect' } = error as EgressError;
          return ended({ code, error: message, phase });
        }
      },
      download: (url, { signal } = {}) =>
        request<Download>({
          time: this.#time,
          gate: process,
          thereInMs: this.#random.whole(5, 50),
          arrive: () => (this.#upstream.isDeadly(url, process) ? { kind: 'silence' } : this.#serve(url)),
          signal,
          limitMs: 60_000,
          broken: (by) => new EgressError(by === 'signal' ? 'aborted' : 'timeout', 'no answer'),
        }),
    };
  }

  #receive(host: string, headers: Readonly<Record<string, string>>, body: string): Answered<number> {
    const condition = this.receivers.get(host) ?? 'well';
    const inMs = this.#random.whole(1, 30);
    if (condition === 'away')
      return {
        kind: 'answer',
        inMs: 1,
        give: () => {
          throw new EgressError('connect', 'connection refused', { phase: 'connect' });
        },
      };
    if (condition === 'gone') return { kind: 'answer', inMs, give: () => 410 };
    if (condition === 'failing') return { kind: 'answer', inMs, give: () => 500 };
    const event = JSON.parse(body) as { type: string; data: { id: string; run?: number; round?: number } };
    const { id, run, round } = event.data;
    const webhookId = headers['webhook-id'] ?? '';
    this.delivered.push({ id: webhookId, at: this.#time.now(), type: event.type, subject: id, run: run ?? round ?? 1 });
    return condition === 'silent' ? { kind: 'silence' } : { kind: 'answer', inMs, give: () => 200 };
  }

  #serve(url: string): Answered<Download> {
    const bytes = this.#upstream.file(url);
    const failing = this.files === 'failing';
    return {
      kind: 'answer',
      inMs: this.#random.whole(5, 200),
      give: () => {
        if (failing) throw new EgressError('http', 'the download was answered with status 503', { status: 503 });
        if (bytes === null) throw new EgressError('http', 'the download was answered with status 404', { status: 404 });
        return {
          ...{ status: 200, headers: {}, contentLength: bytes.length, contentType: 'image/png', cancel: () => undefined },
          endsByClose: false,
          body: (async function* () {
            yield bytes;
          })(),
        };
      },
    };
  }
}
