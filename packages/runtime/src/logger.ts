import { type DestinationStream, type Logger, pino } from 'pino';
import { build as pretty } from 'pino-pretty';

export type { Logger };

export interface LoggerOptions {
  /** `api` or `worker`; part of each line. */
  name: string;
  level: string;
  /** Lines for people instead of JSON. */
  pretty: boolean;
  destination?: DestinationStream;
}

/** Fields that may hold a secret or what a tenant sent; whoever logs one by mistake logs `[redacted]`. */
const SECRET_FIELDS = new Set([
  'authorization',
  'api_key',
  'apiKey',
  'key',
  'secret',
  'token',
  'password',
  'input',
  'prompt',
  'messages',
]);

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

/**
 * A line without its secrets, looked for in its own fields and one level below. pino's `redact` does the same with a
 * wildcard path, at several times the cost of a whole line (*measured*).
 */
function redacted(fields: Record<string, unknown>, depth = 1): Record<string, unknown> {
  let copy: Record<string, unknown> | undefined;
  for (const name of Object.keys(fields)) {
    const value = fields[name];
    const shown =
      SECRET_FIELDS.has(name) && value !== undefined ? '[redacted]' : depth > 0 && isPlain(value) ? redacted(value, 0) : value;
    if (shown !== value) copy = { ...(copy ?? fields), [name]: shown };
  }
  return copy ?? fields;
}

/** In characters: more is written at once. So much that a process which ends in a turn has all lines of it in one piece. */
const GATHERED = 1024 * 1024;
/** So long a line may wait for others. Only a SIGKILL loses what waits. */
const GATHERING_MS = 20;

/**
 * Writes the lines of some milliseconds together: each write takes another thread, and under load a tenth of a job (*measured*) where
 * there is one for each turn of the event loop. What was not written when the process exits is written then.
 */
function gathered(): DestinationStream & { flushSync(): void } {
  let waiting = '';
  let isDue = false;
  const flush = () => {
    isDue = false;
    const text = waiting;
    waiting = '';
    if (text !== '') lines.write(text);
  };
  // Before pino's own, which then writes what it has been given.
  process.once('exit', flush);
  // It gathers nothing itself: what comes while a write is under way would stay there until the next line.
  const lines = pino.destination({ sync: false });
  return {
    write(line) {
      waiting += line;
      if (waiting.length >= GATHERED) return flush();
      if (isDue) return;
      isDue = true;
      // Not unref'ed: what waits is written before pino ends its stream, as it does when nothing is left to do.
      setTimeout(flush, GATHERING_MS);
    },
    flushSync() {
      flush();
      lines.flushSync();
    },
  };
}

/** pino JSON on stdout, one line for each thing that happened; times in ISO 8601, secrets and inputs redacted. */
export function createLogger({ name, level, pretty: forPeople, destination }: LoggerOptions): Logger {
  return pino(
    {
      name,
      level,
      base: { name, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: redacted },
      serializers: { err: pino.stdSerializers.err },
    },
    destination ?? (forPeople ? pretty({ ignore: 'pid,name,hostname', singleLine: true }) : gathered()),
  );
}
