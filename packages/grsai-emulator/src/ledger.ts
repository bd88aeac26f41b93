/** Which paid call it was. */
export type SubmitKind = 'chat' | 'image' | 'generations' | 'draw';

/** `fault`: a fault answered or cut the call before it was judged. */
export type SubmitOutcome = 'accepted' | 'bad_key' | 'no_credits' | 'rate_limited' | 'refused' | 'fault';

/** One paid POST, accepted or not. */
export interface Submit {
  /** 1, 2, 3 … in the order of judgement. */
  readonly n: number;
  /** Clock, ms. */
  readonly at: number;
  /** Number of the node, from 0. */
  readonly node: number;
  readonly kind: SubmitKind;
  readonly model: string;
  /** The first 1 000 characters, directives included. For chat the text of all messages. */
  readonly prompt: string;
  readonly key: string;
  readonly outcome: SubmitOutcome;
  /** Why it was not accepted. */
  readonly error: string;
  readonly taskId: string | undefined;
  /** Credits taken; chat has them given back when it fails. */
  charged: number;
  refunded: number;
  /** Has the whole answer been handed to the socket? */
  answered: boolean;
}

export type TaskStatus = 'running' | 'succeeded' | 'failed' | 'violation';

/** A task as the ledger shows it, at the moment of asking. */
export interface LedgerTask {
  readonly id: string;
  readonly node: number;
  readonly kind: SubmitKind;
  readonly model: string;
  readonly prompt: string;
  readonly status: TaskStatus;
  readonly charged: number;
  readonly refunded: number;
  readonly createdAt: number;
  /** Undefined while it runs. */
  readonly endedAt: number | undefined;
  /** Names of the result files. */
  readonly files: readonly string[];
}

/** A POST to a caller's webhook (legacy dialect). */
export interface WebhookPost {
  readonly at: number;
  readonly taskId: string;
  readonly url: string;
  readonly body: unknown;
  /** HTTP status of the receiver; 0 when it could not be reached. */
  readonly status: number;
}

/** Every field that is given has to match; `prompt` is a part of the prompt. */
export interface Filter {
  readonly kind?: SubmitKind;
  readonly model?: string;
  readonly prompt?: string;
  readonly node?: number;
  readonly outcome?: SubmitOutcome;
  readonly status?: TaskStatus;
  readonly taskId?: string;
  readonly answered?: boolean;
}

/** What the ledger needs to know of the tasks. */
export interface TaskBook {
  /** Brings refunds up to now. */
  settle(): void;
  all(): LedgerTask[];
}

/** Longest part of a prompt that is kept. */
export const KEPT_PROMPT = 1000;

/** The emulator's books: they prove what a client made the upstream do, and what it paid. */
export class Ledger {
  readonly submits: Submit[] = [];
  readonly webhooks: WebhookPost[] = [];
  readonly #tasks: TaskBook;
  readonly #start: readonly number[];
  #balances: number[];
  readonly #spent = new Map<string, number>();
  #taken = 0;
  #returned = 0;

  /** `balances`: one for all nodes, or one for each. */
  constructor(tasks: TaskBook, balances: readonly number[]) {
    this.#tasks = tasks;
    this.#start = balances;
    this.#balances = [...balances];
  }

  /** Every task, oldest first, as it is now. */
  get tasks(): LedgerTask[] {
    this.#tasks.settle();
    return this.#tasks.all();
  }

  /** Balance over all stores, credits. */
  get credits(): number {
    this.#tasks.settle();
    return this.#balances.reduce((sum, balance) => sum + balance, 0);
  }

  get creditsTaken(): number {
    return this.#taken;
  }

  get creditsReturned(): number {
    this.#tasks.settle();
    return this.#returned;
  }

  submitsOf(filter: Filter = {}): Submit[] {
    return this.submits.filter((submit) => matches(submit, filter));
  }

  tasksOf(filter: Filter = {}): LedgerTask[] {
    return this.tasks.filter((task) => matches({ ...task, taskId: task.id }, filter));
  }

  /** Prompts that more than one task is paid for without a refund: empty when "one job, one paid task" holds for distinct prompts. */
  doublyPaid(): string[] {
    const paid = new Map<string, number>();
    for (const task of this.tasks) {
      if (task.charged > task.refunded) paid.set(task.prompt, (paid.get(task.prompt) ?? 0) + 1);
    }
    return [...paid].filter(([, count]) => count > 1).map(([prompt]) => prompt);
  }

  balance(node: number): number {
    this.#tasks.settle();
    return this.#balances[this.#account(node)] ?? 0;
  }

  setBalance(credits: number): void {
    this.#balances = this.#balances.map(() => credits);
  }

  /** What a key has spent, less what came back. */
  spentBy(key: string): number {
    this.#tasks.settle();
    return this.#spent.get(key) ?? 0;
  }

  /** Takes credits, or says that there are too few. */
  take(node: number, credits: number, key: string): boolean {
    if (this.balance(node) < credits) return false;
    this.#move(node, -credits, key);
    this.#taken += credits;
    return true;
  }

  giveBack(node: number, credits: number, key: string): void {
    this.#move(node, credits, key);
    this.#returned += credits;
  }

  reset(): void {
    this.submits.length = 0;
    this.webhooks.length = 0;
    this.#balances = [...this.#start];
    this.#spent.clear();
    this.#taken = 0;
    this.#returned = 0;
  }

  #account(node: number): number {
    return node % this.#balances.length;
  }

  #move(node: number, credits: number, key: string): void {
    this.#spent.set(key, (this.#spent.get(key) ?? 0) - credits);
    const account = this.#account(node);
    this.#balances[account] = (this.#balances[account] ?? 0) + credits;
  }
}

function matches(entry: object, filter: Filter): boolean {
  const fields: Readonly<Record<string, unknown>> = { ...entry };
  return Object.entries(filter).every(([name, wanted]) => {
    if (wanted === undefined) return true;
    return name === 'prompt' ? String(fields['prompt']).includes(String(wanted)) : fields[name] === wanted;
  });
}
