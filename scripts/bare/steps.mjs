import { spawn } from 'node:child_process';
import { rootPath } from './paths.mjs';

/** Something that a person has to put right; its message is for that person. */
export class Trouble extends Error {}

/**
 * Runs `work(show)` as one visible step. On a terminal a line with a clock is redrawn, and `show(text)` shows what it is
 * at; elsewhere there is one line at the start, one each 10 s, and one at the end.
 */
export async function step(title, work) {
  const started = performance.now();
  const seconds = () => `${((performance.now() - started) / 1000).toFixed(1)} s`;
  const live = process.stdout.isTTY;
  let note = '';
  const draw = () => {
    const text = `… ${title}  ${seconds()}  ${note}`;
    if (live) process.stdout.write(`\r\x1b[2K${text.slice(0, (process.stdout.columns || 80) - 1)}`);
    else console.log(text);
  };
  if (live) draw();
  else console.log(`… ${title}`);
  const clock = setInterval(draw, live ? 200 : 10_000);
  const clear = () => {
    clearInterval(clock);
    if (live) process.stdout.write('\r\x1b[2K');
  };
  try {
    const result = await work((text) => {
      note = text;
    });
    clear();
    console.log(`✓ ${title}  ${seconds()}`);
    return result;
  } catch (error) {
    clear();
    console.log(`✗ ${title}  ${seconds()}`);
    throw error;
  }
}

/**
 * Runs a program in the repository and resolves with its exit code and all it wrote (127 when there is no such program,
 * 124 when it took longer than `timeoutMs`). `onLine` sees each line as it comes.
 */
export function capture(program, args, { env = process.env, onLine = () => {}, timeoutMs = 0 } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: rootPath,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
    });
    let output = '';
    let timedOut = false;
    const take = (chunk) => {
      output += chunk;
      const lines = String(chunk)
        .split(/[\r\n]+/)
        .filter((line) => line.trim() !== '');
      if (lines.length > 0) onLine(lines.at(-1).trim());
    };
    const timer =
      timeoutMs > 0
        ? setTimeout(() => {
            timedOut = true;
            child.kill('SIGKILL');
          }, timeoutMs)
        : undefined;
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', (error) => {
      clearTimeout(timer);
      resolve({ code: error.code === 'ENOENT' ? 127 : 1, output: `${output}${error.message}` });
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code: timedOut ? 124 : (code ?? 1), output });
    });
  });
}

/** The last lines of an output, for an error message. */
export const tail = (output, lines = 15) => output.trim().split('\n').slice(-lines).join('\n');
