#!/usr/bin/env node
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from './program.ts';
import { startFolder } from './start-folder.ts';

const interrupt = new AbortController();
process.on('SIGINT', () => {
  // Whoever presses it twice does not want to read how to go on.
  if (interrupt.signal.aborted) process.exit(130);
  interrupt.abort();
});
// `jobs list | head`: the reader has what it wanted.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
// What was asked for is done all the same when nobody reads how it goes.
process.stderr.on('error', () => undefined);

// `npm run jobs` goes to the repository; files are meant from where the person stands.
const folder = startFolder(process.env);
if (folder !== undefined) process.chdir(folder);

process.exitCode = await run(process.argv.slice(2), {
  // Only the repository has the source.
  program: import.meta.url.endsWith('.ts') ? 'pnpm jobs' : 'grsai-jobs',
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  fetch,
  interrupt: interrupt.signal,
  now: Date.now,
  // With the reason of the signal, as fetch has it, and not with an error of the timer.
  sleep: async (ms, signal) => await sleep(ms, undefined, { signal }).catch(() => signal.throwIfAborted()),
  random: Math.random,
});
// A sender on stdin that goes on (or a terminal) would keep the process waiting for its end.
process.stdin.destroy();
