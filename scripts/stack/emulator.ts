import { type Child, type Output, startChild, untilReady } from './child.ts';
import type { FindPort } from './ports.ts';
import type { Env } from './root.ts';

const PREFERRED_PORT = 4100;

/** The key that the emulator takes, in the form of a real one (upstream.md §2). */
const KEY = `sk-${'0123456789abcdef'.repeat(2)}`;

/** How long the emulator takes, in ms: a number, or a range `a-b` to draw from. */
export interface EmulatorPace {
  readonly imageMs: string;
  readonly chatMs: string;
}

/** An emulator of the Grsai API, and the variables that point the worker at it. */
export interface LocalEmulator {
  readonly child: Child;
  readonly url: string;
  readonly env: Env;
}

/** Starts the emulator. It keeps its tasks in memory and forgets them when it stops. */
export async function startEmulator(
  pace: EmulatorPace,
  env: Env,
  output: Output,
  find: FindPort,
  stop: AbortSignal,
): Promise<LocalEmulator> {
  const port = await find('the emulator', PREFERRED_PORT);
  const url = `http://127.0.0.1:${port}`;
  const args = ['--port', String(port), '--key', KEY, '--task-ms', pace.imageMs, '--chat-ms', pace.chatMs, '--quiet'];
  const child = startChild('the emulator', ['packages/grsai-emulator/src/main.ts', ...args], env, output);
  await untilReady(child, `${url}/_emulator/`, stop);
  return { child, url, env: { GRSAI_API_KEY: KEY, GRSAI_BASE_URLS: url, GRSAI_CATALOGUE_URL: url } };
}
