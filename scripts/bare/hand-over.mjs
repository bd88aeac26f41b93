import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { rootPath } from './paths.mjs';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Ctrl-C in a terminal reaches us twice, from the terminal and from npm; a second one by a person takes longer than this. */
const SAME_SIGNAL_MS = 400;

/**
 * Runs Node with `args` in place of this process: same output, signals passed on once, and its exit code (128 + n when a
 * signal ended it). The program has a process group of its own, so that Ctrl-C comes through here alone, and a channel
 * whose closing shows it that this process was killed.
 */
export function handOver(node, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(node, args, {
      cwd: rootPath,
      env: { ...process.env, PATH: withNode(process.env.PATH) },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      detached: process.platform !== 'win32',
    });
    let last = { signal: '', at: Number.NEGATIVE_INFINITY };
    const pass = (signal) => {
      const at = performance.now();
      if (signal === last.signal && at - last.at < SAME_SIGNAL_MS) return;
      last = { signal, at };
      child.kill(signal);
    };
    for (const signal of SIGNALS) process.on(signal, pass);
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      for (const name of SIGNALS) process.off(name, pass);
      if (child.connected) child.disconnect();
      resolve(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}

// The tools of node_modules/.bin start `node` by its name.
const withNode = (path) => [`${rootPath}node_modules/.bin`, path].filter(Boolean).join(process.platform === 'win32' ? ';' : ':');
