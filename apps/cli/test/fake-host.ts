import { Readable, Writable } from 'node:stream';
import type { Host } from '../src/host.ts';

class Kept extends Writable {
  text = '';
  readonly isTTY: boolean;
  readonly columns = 60;

  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

export interface FakeHost {
  host: Host;
  stdout: () => string;
  stderr: () => string;
  /** Moves the clock. */
  pass: (ms: number) => void;
  interrupt: () => void;
  /** How long each pause was, in ms; none of them takes time. */
  pauses: number[];
}

/** A world without sockets and real clock: streams that are kept, a `fetch` of the test, a clock that stands. */
export function fakeHost(
  o: { isTTY?: boolean; input?: string; env?: Record<string, string>; fetch?: typeof fetch } = {},
): FakeHost {
  const stdout = new Kept(o.isTTY ?? false);
  const stderr = new Kept(o.isTTY ?? false);
  const interrupt = new AbortController();
  const pauses: number[] = [];
  let now = 0;
  const host: Host = {
    program: 'pnpm jobs',
    stdin: Readable.from(o.input === undefined ? [] : [Buffer.from(o.input)]),
    stdout,
    stderr,
    env: { GRSAI_JOBS_API: 'http://service', GRSAI_JOBS_KEY: 'gj_key', ...o.env },
    fetch:
      o.fetch ??
      (() => {
        throw new Error('nothing should be sent');
      }),
    interrupt: interrupt.signal,
    now: () => now,
    sleep: async (ms, signal) => {
      signal.throwIfAborted();
      pauses.push(ms);
      now += ms;
    },
    random: () => 1,
  };
  return {
    host,
    stdout: () => stdout.text,
    stderr: () => stderr.text,
    pass: (ms) => {
      now += ms;
    },
    interrupt: () => interrupt.abort(),
    pauses,
  };
}
