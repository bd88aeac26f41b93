import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** The end of what a program wrote. */
const tail = (text: string): string => text.trim().split('\n').slice(-15).join('\n');

/** Runs a program to its end; what it wrote when it failed. */
export async function run(program: string, args: readonly string[], o: { cwd: string; env: NodeJS.ProcessEnv }): Promise<string> {
  try {
    return (await execute(program, args, { ...o, timeout: 600_000, maxBuffer: 64 * 1024 * 1024 })).stdout;
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string };
    throw new Error(`${program} ${args.join(' ')}: ${tail(stderr || stdout || message)}`, { cause: error });
  }
}

/** Starts a program that goes on, and ends it when it has said something. Rejects when it ends before. */
export async function starts(
  program: string,
  args: readonly string[],
  o: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<void> {
  const child = spawn(program, args, { ...o, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`${args.join(' ')} ended with ${code}: ${tail(said)}`)));
      child.stdout.once('data', () => resolve());
    });
  } finally {
    child.removeAllListeners('exit');
    child.kill();
  }
}
