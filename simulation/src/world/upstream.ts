import {
  type ChatChunk,
  type ChatCompletion,
  type GrsaiApi,
  GrsaiError,
  GrsaiUnfinishedError,
  type Submitted,
  type TaskState,
} from '@grsai-jobs/grsai';
import type { Random } from '../random.ts';
import type { VirtualTime } from '../time/virtual-time.ts';
import { BrokenFiles } from './broken-files.ts';
import { NO_ODDITIES, type Oddities } from './oddities.ts';
import { pictureOf } from './picture.ts';
import { creditsOf, keepsFailed } from './prices.ts';
import type { SimulatedProcess } from './process.ts';
import { type Answered, request } from './request.ts';
import { BASES, errorOf, meet, type UpstreamCondition } from './upstream-faults.ts';

/** Calls that may be met by a fault just then. */
export type CallKind = 'submit' | 'synchronous call' | 'poll of a failed task';

export interface Charged {
  /** Which order of a caller it was made for. */
  readonly order: string;
  readonly at: number;
}

/** An image task, as upstream's ledger has it. */
export interface Task extends Charged {
  readonly id: string;
  readonly base: string;
  readonly endsAt: number;
  readonly outcome: 'succeeded' | 'failed' | 'violation';
  readonly credits: number;
  /** What it cost comes back when it has failed. */
  readonly isRefunded: boolean;
  readonly isDeadly: boolean;
  /** One for each picture. */
  readonly links: readonly string[];
}

interface CallOptions {
  readonly limitMs?: number;
  /** Its work comes to nothing. */
  readonly failed?: () => void;
  /** It is answered without credits too. */
  readonly isFree?: boolean;
}

/** As upstream writes it. */
const POLICY = 'rejected by content policy';
/** How long the client waits: for an image task, for what costs nothing, and for a synchronous answer. */
const SUBMIT_LIMIT_MS = 21_000;
const QUESTION_LIMIT_MS = 10_000;
const CALL_LIMIT_MS = 120_000;
const LINK_LIFE_MS = 2 * 3600_000;

/** What a chat takes: less than is expected of it. */
const tokensOf = (text: string) => ({ prompt: Math.ceil(text.length / 4), completion: 20 + (text.length % 1000) });

/** Which order a prompt belongs to: callers of the simulation write it in front. */
const orderIn = (text: string): string => /^\[(.+?)\]/.exec(text)?.[1] ?? 'unknown';
export const promptOf = (order: string): string => `[${order}] a paper lighthouse`;

/** The Grsai API with its ledger. */
export class Upstream {
  condition: UpstreamCondition = 'well';
  oddities: Oddities = NO_ODDITIES;
  readonly tasks = new Map<string, Task>();
  readonly tasksByOrder = new Map<string, Task[]>();
  /** Which process the answer of a submit has reached, by the task. */
  readonly heardBy = new Map<string, SimulatedProcess>();
  readonly generationsByOrder = new Map<string, number>();
  /** Synchronous image calls that were answered, or whose answer was lost. */
  readonly generations: Charged[] = [];
  /** Chats that upstream answered, heard or not. */
  readonly chats: Charged[] = [];
  readonly chatsByOrder = new Map<string, number>();
  /** What chats and synchronous images of an order have cost, and what came back of such images. */
  readonly #takenAtOnce = new Map<string, number>();
  readonly #refundedAtOnce = new Map<string, number>();
  /** How many processes have died of pictures of an order. */
  readonly deathsByOrder = new Map<string, number>();
  /** Called with each call of a process as it arrives. */
  onCall: ((process: SimulatedProcess, call: CallKind) => void) | null = null;
  /** Called when a process hears that its task was accepted, before it can act on that. */
  onAccepted: (() => void) | null = null;
  /** Called with each process that dies of a picture. */
  onDeath: (process: SimulatedProcess, order: string) => void = () => undefined;
  /** Called with each order of which credits were taken or came back. */
  onTaken: (order: string) => void = () => undefined;
  /** Called with each chat that was answered. */
  onChat: (charged: Charged) => void = () => undefined;
  /** Called with each paid task or synchronous image as it is made. */
  onCharged: (charged: Charged) => void = () => undefined;
  readonly broken: BrokenFiles;
  readonly #time: VirtualTime;
  readonly #random: Random;
  #made = 0;

  constructor(time: VirtualTime, random: Random) {
    this.#time = time;
    this.#random = random;
    this.broken = new BrokenFiles(random.fork('broken'));
  }

  /** Upstream as one process calls it. */
  of(process: SimulatedProcess): GrsaiApi {
    const call = <T>(
      signal: AbortSignal | undefined,
      tookMs: number,
      act: () => T,
      { limitMs = CALL_LIMIT_MS, failed = () => undefined, isFree = false }: CallOptions = {},
    ): Promise<T> =>
      request<T>({
        time: this.#time,
        gate: process,
        thereInMs: this.#random.whole(1, 10),
        arrive: () => this.#arrive(tookMs, act, failed, isFree),
        signal,
        limitMs,
        broken: (by) => errorOf({ code: by === 'signal' ? 'aborted' : 'timeout', outcome: 'unknown', message: 'no answer' }),
      });
    const ask = <T>(signal: AbortSignal | undefined, act: () => T): Promise<T> =>
      call(signal, this.#random.whole(1, 20), act, { limitMs: QUESTION_LIMIT_MS, isFree: true });
    const complete: GrsaiApi['chat']['complete'] = (body, { signal } = {}) => {
      const order = orderIn(lastMessage(body));
      return call(
        signal,
        this.#tookMs(50, 3000),
        paid('synchronous call', () => this.#chat(order, modelIn(body), lastMessage(body))),
      );
    };
    const result: GrsaiApi['images']['result'] = (id, { signal }) =>
      ask(signal, () => {
        const state = this.#state(id);
        if (state.status === 'failed') this.onCall?.(process, 'poll of a failed task');
        return state;
      });
    const paid =
      <T>(kind: CallKind, act: () => T): (() => T) =>
      () => {
        this.onCall?.(process, kind);
        return act();
      };
    const notSimulated = (): never => {
      throw new Error('this call is not simulated');
    };
    return {
      baseUrls: BASES,
      chat: {
        complete,
        async *stream(body, options) {
          yield await complete(body, options).then(chunkOf);
        },
      },
      images: {
        submit: (task, { signal } = {}) => {
          const order = orderIn(String((task as { prompt?: unknown }).prompt));
          return call(
            signal,
            this.#tookMs(20, 400),
            paid('submit', () => this.#submit(order, modelIn(task))),
            { limitMs: SUBMIT_LIMIT_MS },
          ).then((submitted) => {
            this.heardBy.set(submitted.id, process);
            this.onAccepted?.();
            return submitted;
          });
        },
        result,
        generations: (body, { signal } = {}) => {
          const order = orderIn(String((body as { prompt?: unknown }).prompt));
          return call(
            signal,
            this.#tookMs(500, 20_000),
            paid('synchronous call', () => this.#generate(order, modelIn(body))),
            { failed: () => this.#failAtOnce(order, modelIn(body)) },
          );
        },
        generate: notSimulated,
        stream: notSimulated,
        download: notSimulated,
      },
      account: {
        credits: ({ signal } = {}) => ask(signal, () => 0),
        accountCredits: ({ signal } = {}) => ask(signal, () => (this.condition === 'no_credits' ? 0 : 1_000_000)),
      },
      models: { status: notSimulated, list: notSimulated },
      probeKey: ({ signal } = {}) =>
        ask(signal, () => 'valid' as const).catch((error: unknown) =>
          error instanceof GrsaiError && error.category === 'auth' ? 'refused' : 'unknown',
        ),
      probeBase: (_base, { signal } = {}) =>
        ask(signal, () => ({ state: 'right' as const, seen: '200' })).catch(() => ({ state: 'away' as const, seen: 'away' })),
    };
  }

  /** What the calls of an order have cost until now, and what came back of that. */
  ledgerOf(order: string): { taken: number; refunded: number } {
    let taken = this.#takenAtOnce.get(order) ?? 0;
    let refunded = this.#refundedAtOnce.get(order) ?? 0;
    for (const { outcome, endsAt, credits, isRefunded } of this.tasksByOrder.get(order) ?? []) {
      if (isRefunded && outcome === 'failed' && this.#time.now() >= endsAt) refunded += credits;
      else taken += credits;
    }
    return { taken, refunded };
  }

  /** Whether `process` has died of loading this. */
  isDeadly(link: string, process: SimulatedProcess): boolean {
    const [, id = ''] = /files\/(.+)\/\d+$/.exec(link) ?? [];
    const task = this.tasks.get(id);
    if (task?.isDeadly !== true) return false;
    this.deathsByOrder.set(task.order, (this.deathsByOrder.get(task.order) ?? 0) + 1);
    this.onDeath(process, task.order);
    return true;
  }

  /** A file of a result, or `null` when its link has died. */
  file(link: string): Uint8Array | null {
    const [, id = '', index = ''] = /files\/(.+)\/(\d+)$/.exec(link) ?? [];
    const broken = this.broken.bytesOf(link);
    if (broken !== undefined) return broken;
    const task = this.tasks.get(id);
    const endedAt = task?.endsAt ?? this.generations[Number(id.replace('g', ''))]?.at;
    if (endedAt === undefined || this.#time.now() > endedAt + LINK_LIFE_MS) return null;
    return pictureOf(`${id}/${index}`);
  }

  #arrive<T>(tookMs: number, act: () => T, failed: () => void, isFree: boolean): Answered<T> {
    return meet(isFree && this.condition === 'no_credits' ? 'well' : this.condition, this.oddities, this.#random, {
      tookMs,
      act,
      failed,
    });
  }

  #tookMs(from: number, to: number): number {
    return this.#random.chance(this.oddities.late) ? this.#random.whole(to, 30_000) : this.#random.whole(from, to);
  }

  #charge(charged: Charged): void {
    this.onTaken(charged.order);
    this.onCharged(charged);
  }

  #takeAtOnce(order: string, credits: number): void {
    this.#takenAtOnce.set(order, (this.#takenAtOnce.get(order) ?? 0) + credits);
  }

  /** Its work fails before there is an answer: what was taken for it comes back, or stays. */
  #failAtOnce(order: string, model: string): void {
    if (keepsFailed(model)) this.#takeAtOnce(order, creditsOf(model));
    else this.#refundedAtOnce.set(order, (this.#refundedAtOnce.get(order) ?? 0) + creditsOf(model));
    this.onTaken(order);
  }

  #chat(order: string, model: string, text: string): ChatCompletion {
    if (this.#random.chance(this.oddities.violation))
      throw errorOf({
        code: 'refused',
        outcome: 'refused',
        category: 'moderation',
        status: 400,
        retryable: false,
        message: POLICY,
      });
    const at = this.#time.now();
    this.chats.push({ order, at });
    this.chatsByOrder.set(order, (this.chatsByOrder.get(order) ?? 0) + 1);
    const tokens = tokensOf(text);
    this.#takeAtOnce(order, creditsOf(model, tokens));
    this.onTaken(order);
    this.onChat({ order, at });
    const completion = {
      id: `chat-${this.chats.length}`,
      object: 'chat.completion',
      model,
      usage: {
        prompt_tokens: tokens.prompt,
        completion_tokens: tokens.completion,
        total_tokens: tokens.prompt + tokens.completion,
      },
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: `an answer to ${order}${this.#isLong() ? MUCH : ''}` },
          finish_reason: 'stop',
        },
      ],
    } as unknown as ChatCompletion;
    if (!this.#random.chance(this.oddities.unfinished)) return completion;
    const error = new GrsaiUnfinishedError({ code: 'no_finish_reason', outcome: 'unknown', message: 'no finish_reason' });
    error.completion = completion;
    throw error;
  }

  #submit(order: string, model: string): Submitted {
    const at = this.#time.now();
    this.#made += 1;
    const id = `${at}-task-${this.#made}`;
    const { taskFailed, violation, slow, deadly } = this.oddities;
    const outcome = this.#random.chance(taskFailed) ? 'failed' : this.#random.chance(violation) ? 'violation' : 'succeeded';
    const endsAt = at + (this.#random.chance(slow) ? this.#random.whole(60_000, 400_000) : this.#random.whole(5_000, 60_000));
    const base = BASES[0];
    const isDeadly = this.#random.chance(deadly);
    const { several } = this.oddities;
    const count = several > 0 && this.#random.chance(several) ? this.#random.whole(2, 4) : 1;
    const links = Array.from({ length: count }, (_, n) => `https://files.example/files/${id}/${n}`);
    this.broken.breakSome(links, this.oddities.broken);
    const task: Task = {
      ...{ id, base, order, at, endsAt, outcome, isDeadly, links },
      ...{ credits: creditsOf(model), isRefunded: !keepsFailed(model) },
    };
    if (outcome === 'failed') this.#time.after(endsAt - at, () => this.onTaken(order));
    this.tasks.set(id, task);
    this.tasksByOrder.set(order, [...(this.tasksByOrder.get(order) ?? []), task]);
    this.#charge({ order, at });
    return { id, base, tried: [] };
  }

  #generate(order: string, model: string) {
    const at = this.#time.now();
    const id = `g${this.generations.length}`;
    this.generations.push({ order, at });
    this.generationsByOrder.set(order, (this.generationsByOrder.get(order) ?? 0) + 1);
    this.#takeAtOnce(order, creditsOf(model));
    this.#charge({ order, at });
    const url = `https://files.example/files/${id}/0`;
    return { outputs: [{ kind: 'link' as const, url }], urls: [url], raw: '' };
  }

  #isLong(): boolean {
    return this.oddities.long > 0 && this.#random.chance(this.oddities.long);
  }

  #state(id: string): TaskState {
    const task = this.tasks.get(id);
    if (task === undefined) return { id, status: 'missing', outputs: [], urls: [], raw: '', error: 'task not exist' };
    if (this.#time.now() < task.endsAt) {
      const progress = Math.floor((100 * (this.#time.now() - task.at)) / (task.endsAt - task.at));
      return { id, status: 'running', progress, outputs: [], urls: [], raw: '' };
    }
    if (task.outcome === 'failed')
      return { id, status: 'failed', outputs: [], urls: [], raw: '', error: 'generate failed', category: 'failed' };
    if (task.outcome === 'violation')
      return { id, status: 'violation', outputs: [], urls: [], raw: '', error: POLICY, category: 'moderation' };
    return {
      id,
      status: 'succeeded',
      progress: 100,
      outputs: task.links.map((url) => ({ kind: 'link' as const, url })),
      urls: [...task.links],
      raw: '',
    };
  }
}

/** More than a record holds. */
const MUCH = '.'.repeat(17_000);

const modelIn = (body: unknown): string => String((body as { model?: unknown }).model);

function lastMessage(body: unknown): string {
  const messages = (body as { messages?: { content?: unknown }[] }).messages ?? [];
  return String(messages.at(-1)?.content ?? '');
}

const chunkOf = (completion: ChatCompletion): ChatChunk =>
  ({
    ...completion,
    object: 'chat.completion.chunk',
    choices: completion.choices.map(({ message, ...choice }) => ({ ...choice, delta: message })),
  }) as unknown as ChatChunk;
