import { type ChildProcess, fork, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A process of one run. It dies with the run. */
export interface Child {
  readonly pid: number;
  /** Rejects when it ends before `stop`; never resolves. */
  readonly broken: Promise<never>;
  /** SIGTERM, and SIGKILL when it has not ended 10 s later. */
  stop(): Promise<void>;
  /** SIGKILL; returns when it is gone. */
  kill(): Promise<void>;
}

/** A child of the bench itself, which answers each question with one message (`answerQuestions`). */
export interface Asked<Question> extends Child {
  ask<Answer>(question: Question): Promise<Answer>;
}

const PATH = process.env['PATH'] ?? '';

function childOf(child: ChildProcess, what: string): Child {
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const gone = once(child, 'exit');
  let stopping = false;
  const broken = gone.then(async ([code, signal]): Promise<never> => {
    process.off('exit', kill);
    return stopping ? await new Promise<never>(() => undefined) : Promise.reject(new Error(`${what} ended (${signal ?? code})`));
  });
  broken.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    broken,
    stop: async () => {
      stopping = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const late = setTimeout(kill, 10_000);
      await gone;
      clearTimeout(late);
    },
    kill: async () => {
      stopping = true;
      kill();
      await gone;
    },
  };
}

/** What a program is started with. */
export interface ProgramOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** For the program. */
  readonly args?: readonly string[];
  /** For node itself. */
  readonly nodeArgs?: readonly string[];
  /** Gets each line of its log; reading them costs both processes time. */
  readonly onLine?: ((line: string) => void) | undefined;
}

/** Starts a program as its users do: its log goes nowhere, what it says on stderr is shown. */
export function startProgram(entry: URL, { env = {}, args = [], nodeArgs = [], onLine }: ProgramOptions): Child {
  const options: SpawnOptions = { env: { PATH, ...env }, stdio: ['ignore', onLine === undefined ? 'ignore' : 'pipe', 'inherit'] };
  const child = spawn(process.execPath, [...nodeArgs, fileURLToPath(entry), ...args], options);
  if (onLine !== undefined && child.stdout !== null) createInterface({ input: child.stdout }).on('line', onLine);
  return childOf(child, entry.pathname);
}

/** Starts a process of the bench that can be asked; one question at a time. */
export function startAsked<Question extends object>(entry: URL, nodeArgs: readonly string[] = []): Asked<Question> {
  const child = fork(fileURLToPath(entry), { env: { PATH }, execArgv: [...nodeArgs] });
  const common = childOf(child, entry.pathname);
  return {
    ...common,
    async ask<Answer>(question: Question): Promise<Answer> {
      const answer = once(child, 'message');
      child.send(question);
      const [message] = (await Promise.race([answer, common.broken])) as [{ answer?: Answer; error?: string }];
      if (message.error !== undefined) throw new Error(`${entry.pathname}: ${message.error}`);
      return message.answer as Answer;
    },
  };
}

/** The other end of `ask`, in the child. */
export function answerQuestions<Question>(answer: (question: Question) => Promise<unknown>): void {
  process.on('message', (question) => {
    answer(question as Question).then(
      (value) => process.send?.({ answer: value }),
      (error: unknown) => process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
  process.once('disconnect', () => process.exit());
  process.once('SIGTERM', () => process.exit());
}
