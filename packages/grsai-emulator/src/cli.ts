import { parseArgs } from 'node:util';
import { AskError } from './ask-error.ts';
import { VirtualClock } from './clock.ts';
import type { Span } from './random.ts';
import { checkSettings } from './settings.ts';
import type { EmulatorOptions } from './start.ts';

export const HELP = `A stand-in for the Grsai API, for development and tests.

Usage: pnpm emulator [options]        (or: node packages/grsai-emulator/src/main.ts)

  --port <n>            port, 0 takes a free one (default 4100)
  --host <address>      address to listen on (default 127.0.0.1)
  --nodes <1|2>         two nodes listen on two ports
  --stores <shared|split>  do two nodes share tasks and credits (default shared)
  --task-ms <ms|a-b>    time of an image task (default 2000)
  --chat-ms <ms|a-b>    time of a chat answer (default 300)
  --credits <n>         balance at the start
  --key <sk-...>        a good key; may be repeated (default: any that begins with sk-)
  --rpm <n>             paid POSTs in a minute before 429 (default 0, off)
  --concurrent <n>      tasks and synchronous calls at once before 429 (default 0, off)
  --mix <fault=chance>  as F9:as=html=0.1; may be repeated
  --coding <name>       content coding of every answer: gzip, x-gzip, deflate, br, … (default none)
  --set <name=json>     any setting of README.md; may be repeated
  --file-base <url>     start of file addresses (default: own address)
  --seed <text>         same seed, same ids, pictures and draws
  --virtual-clock       time moves only by POST /_emulator/clock/advance
  --quiet               print nothing but the address
  --help                this text

Examples:
  $ pnpm emulator --task-ms 2000-6000
  $ pnpm emulator --coding gzip --set keyQuota='"unlimited"' --set chatCost='"tokens"'
  $ pnpm emulator --mix F9:as=html=0.1 --rpm 60 --seed trouble

One line with the address is printed when it listens. SIGTERM and SIGINT end it.
GET /_emulator/ lists how to steer it; README.md has the faults.
`;

export type Command =
  | { readonly help: true }
  | { readonly help: false; readonly quiet: boolean; readonly options: EmulatorOptions };

const FLAGS = {
  port: { type: 'string', default: '4100' },
  host: { type: 'string', default: '127.0.0.1' },
  nodes: { type: 'string', default: '1' },
  stores: { type: 'string', default: 'shared' },
  'task-ms': { type: 'string' },
  'chat-ms': { type: 'string' },
  credits: { type: 'string' },
  key: { type: 'string', multiple: true },
  rpm: { type: 'string', default: '0' },
  concurrent: { type: 'string', default: '0' },
  mix: { type: 'string', multiple: true },
  coding: { type: 'string' },
  set: { type: 'string', multiple: true },
  'file-base': { type: 'string' },
  seed: { type: 'string' },
  'virtual-clock': { type: 'boolean', default: false },
  quiet: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** Reads the command line. Throws with one sentence when a flag is unknown or its value does not fit. */
export function readCommand(args: readonly string[]): Command {
  const { values } = parseArgs({ args: [...args], options: FLAGS, strict: true });
  if (values.help) return { help: true };
  const options: EmulatorOptions = {
    port: readNumber('port', values.port),
    host: values.host,
    nodes: readOne('nodes', values.nodes, ['1', '2']) === '2' ? 2 : 1,
    stores: readOne('stores', values.stores, ['shared', 'split']),
    limits: { rpm: readNumber('rpm', values.rpm), concurrent: readNumber('concurrent', values.concurrent) },
    ...(values['task-ms'] === undefined ? {} : { taskMs: readSpan('task-ms', values['task-ms']) }),
    ...(values['chat-ms'] === undefined ? {} : { chatMs: readSpan('chat-ms', values['chat-ms']) }),
    ...(values.credits === undefined ? {} : { credits: readNumber('credits', values.credits) }),
    ...(values.key === undefined ? {} : { keys: values.key }),
    ...(values.mix === undefined ? {} : { mix: values.mix.map(readMix) }),
    ...(values.coding === undefined ? {} : checkSettings({ coding: values.coding })),
    ...(values.set === undefined ? {} : checkSettings(Object.fromEntries(values.set.map(readSetting)))),
    ...(values['file-base'] === undefined ? {} : { fileBase: values['file-base'] }),
    ...(values.seed === undefined ? {} : { seed: values.seed }),
    ...(values['virtual-clock'] ? { clock: new VirtualClock() } : {}),
  };
  return { help: false, quiet: values.quiet, options };
}

function readNumber(flag: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new AskError(`--${flag} wants a number of at least 0, not ${JSON.stringify(text)}`);
  return value;
}

function readSpan(flag: string, text: string): Span {
  const [min = '', max] = text.split('-');
  return max === undefined ? readNumber(flag, min) : { min: readNumber(flag, min), max: readNumber(flag, max) };
}

function readOne<T extends string>(flag: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((word) => word === text);
  if (found === undefined) throw new AskError(`--${flag} is one of ${allowed.join(', ')}`);
  return found;
}

function readSetting(text: string): readonly [string, unknown] {
  const at = text.indexOf('=');
  try {
    const value: unknown = JSON.parse(text.slice(at + 1));
    if (at > 0) return [text.slice(0, at), value];
  } catch {
    // falls through to the one complaint
  }
  throw new AskError(`--set wants name=json, as echo='"model"', not ${JSON.stringify(text)}`);
}

function readMix(text: string): { readonly fault: string; readonly p: number } {
  const at = text.lastIndexOf('=');
  return { fault: text.slice(0, at), p: readNumber('mix', text.slice(at + 1)) };
}
