import { EventEmitter } from 'node:events';
import { AskError } from './ask-error.ts';
import type { Submit, WebhookPost } from './ledger.ts';
import type { Task } from './tasks.ts';

/** Which door a request came in by. */
export type RequestKind =
  | 'image'
  | 'result'
  | 'chat'
  | 'generations'
  | 'draw'
  | 'draw-result'
  | 'credits'
  | 'model-status'
  | 'model-list'
  | 'upload'
  | 'file'
  | 'other';

/** One request of the log. */
export interface RequestEntry {
  readonly at: number;
  readonly node: number;
  readonly method: string;
  readonly path: string;
  readonly kind: RequestKind;
  /** The first 2 KiB. */
  body: string;
  /** HTTP status, once one was sent; 0 before, and when the connection was cut. */
  status: number;
}

/** What happens, as it happens. */
export interface EmulatorEvents {
  /** A request's head has arrived. */
  request: [RequestEntry];
  /** A paid POST was judged; its answer has not left yet. */
  submit: [Submit];
  /** A request is over: answered, cut, or left by the client. */
  answer: [RequestEntry];
  /** A task was seen to have ended. Nothing watches tasks, so this comes when somebody asks after the end. */
  end: [Task];
  webhook: [WebhookPost];
}

const TICK_MS = 20;

/** Publishes events and lets callers wait for a state. */
export class Bus extends EventEmitter<EmulatorEvents> {
  constructor() {
    super();
    this.setMaxListeners(0);
  }

  /**
   * Asks at once and again after every event until the answer is truthy, and resolves with it. As tasks end without
   * an event of their own, it also asks every 20 ms. Rejects after `timeoutMs` of real time (by default 10 s).
   */
  waitFor<T>(ask: () => T | undefined | null | false | 0, timeoutMs = 10_000): Promise<T> {
    return new Promise((resolve, reject) => {
      const names = ['request', 'submit', 'answer', 'end', 'webhook'] as const;
      const stop = (): void => {
        clearTimeout(timer);
        clearInterval(ticks);
        for (const name of names) this.off(name, look);
      };
      const look = (): void => {
        try {
          const answer = ask();
          if (!answer) return;
          stop();
          resolve(answer);
        } catch (error) {
          stop();
          reject(error);
        }
      };
      const timer = setTimeout(() => {
        stop();
        reject(new AskError(`waitFor: not true within ${timeoutMs} ms: ${ask.toString().slice(0, 200)}`));
      }, timeoutMs);
      const ticks = setInterval(look, TICK_MS);
      for (const name of names) this.on(name, look);
      look();
    });
  }
}
