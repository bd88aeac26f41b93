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
const SECRET_FIELDS = ['authorization', 'api_key', 'apiKey', 'key', 'secret', 'token', 'password', 'input', 'prompt', 'messages'];

/** pino JSON on stdout, one line for each thing that happened; times in ISO 8601, secrets and inputs redacted. */
export function createLogger({ name, level, pretty: forPeople, destination }: LoggerOptions): Logger {
  return pino(
    {
      name,
      level,
      base: { name, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]), censor: '[redacted]' },
      serializers: { err: pino.stdSerializers.err },
    },
    destination ?? (forPeople ? pretty({ ignore: 'pid,name,hostname', singleLine: true }) : pino.destination({ sync: false })),
  );
}
