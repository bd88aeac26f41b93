import { text } from 'node:stream/consumers';
import { spawnChild } from './children.ts';
import { machineEnvironment } from './machine-environment.ts';

export interface RunOptions {
  /** Path of the script. */
  entry: string;
  args?: readonly string[];
  /** The whole environment of the child beside that of the machine ({@link machineEnvironment}). */
  env?: Readonly<Record<string, string>>;
  /** Given to the script on stdin, which is then closed, unless `inputGoesOn`. */
  input?: string | Uint8Array;
  inputGoesOn?: boolean;
  cwd?: string;
  /** Hears what comes on stderr while the script runs; it may send a signal. */
  onStderr?: (soFar: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/** What a script that ran to its end left. */
export interface RunResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a script with the node that runs the test, to its end: for programs that people type, not for services. */
export async function runScript(o: RunOptions): Promise<RunResult> {
  const child = spawnChild(process.execPath, [o.entry, ...(o.args ?? [])], {
    env: { ...machineEnvironment(process.env), ...o.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(o.cwd === undefined ? {} : { cwd: o.cwd }),
  });
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null || stderr === null) throw new Error('a child without pipes');
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  // A script that does not read its input closes the pipe.
  stdin.on('error', () => undefined);
  stdin.write(o.input ?? '');
  if (!o.inputGoesOn) stdin.end();
  let said = '';
  stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString('utf8');
    o.onStderr?.(said, (signal) => void child.kill(signal));
  });
  const [code, out] = await Promise.all([ended, text(stdout)]);
  return { code, stdout: out, stderr: said };
}
