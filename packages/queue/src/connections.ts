import { Redis, type RedisOptions } from 'ioredis';

/**
 * Connections by role. A producer (the API) fails fast: with Redis away a request is refused at once and never hangs.
 * A consumer (the worker) waits: what it has to write down is sent again until Redis takes it.
 */
export type Role = 'producer' | 'consumer';

const reconnectMs = (times: number): number => Math.min(1000, 50 * 2 ** Math.min(times, 5));

/** After a failover the old master answers READONLY: leave it, and have a consumer's command sent again to the new one. */
const leaveReplica = (error: Error, resend: boolean): boolean | 1 | 2 => {
  if (!error.message.startsWith('READONLY')) return false;
  return resend ? 2 : 1;
};

const KEEP_ALIVE_MS = 10_000;

/**
 * A machine that is gone closes nothing, and the system would notice after a quarter of an hour. A connection that owes answers
 * and has sent nothing for this long is made anew. A consumer's commands wait in Redis for up to 10 s by themselves.
 */
const SILENT_MS = { producer: 6000, consumer: 30_000 } as const satisfies Record<Role, number>;

/** How long answers may take, in place of what the role has. */
export type Silence = Pick<RedisOptions, 'commandTimeout' | 'socketTimeout'>;

const OPTIONS: Readonly<Record<Role, Omit<RedisOptions, 'replyMapping'>>> = {
  producer: {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: 2000,
    commandTimeout: 5000,
    socketTimeout: SILENT_MS.producer,
    keepAlive: KEEP_ALIVE_MS,
    reconnectOnError: (error) => leaveReplica(error, false),
    retryStrategy: reconnectMs,
  },
  consumer: {
    maxRetriesPerRequest: null,
    connectTimeout: 5000,
    socketTimeout: SILENT_MS.consumer,
    keepAlive: KEEP_ALIVE_MS,
    reconnectOnError: (error) => leaveReplica(error, true),
    retryStrategy: reconnectMs,
  },
};

/** What is sent in one turn of the event loop goes out in one write: of many small ones the system's part is the largest. */
class Connection extends Redis {
  #held = false;

  override sendCommand(...args: Parameters<Redis['sendCommand']>): unknown {
    if (!this.#held && this.status === 'ready') this.#hold();
    return super.sendCommand(...args);
  }

  #hold(): void {
    const { stream } = this;
    this.#held = true;
    stream.cork();
    setImmediate(() => {
      this.#held = false;
      stream.uncork();
    });
  }
}

/**
 * Connects and waits up to `waitMs` for the first `ready`; afterwards the connection comes back by itself.
 * @throws when Redis cannot be reached in that time; the message names no password.
 */
export async function connectRedis(
  url: string,
  role: Role,
  { onError, waitMs = 10_000, ...silence }: { onError: (error: Error) => void; waitMs?: number } & Silence,
): Promise<Redis> {
  const redis = new Connection(url, { ...OPTIONS[role], ...silence });
  let last: Error | undefined;
  redis.on('error', (error: Error) => {
    last = error;
    onError(error);
  });
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      redis.disconnect();
      const { host } = new URL(url);
      reject(
        new Error(
          `Redis at ${host} could not be reached within ${waitMs} ms${last ? `: ${last.message}` : ''}. Is it running, and is REDIS_URL right?`,
        ),
      );
    }, waitMs);
    redis.once('ready', () => {
      clearTimeout(timer);
      resolve();
    });
  });
  return redis;
}

const REFUSES_WRITES = /^(OOM|MISCONF)\b/;

const refusedInside = (error: Error & { previousErrors?: readonly Error[] }): boolean =>
  error.previousErrors?.some(({ message }) => REFUSES_WRITES.test(message)) ?? false;

/**
 * What an error of a Redis command means for who asked:
 * `away` nothing was sent · `lost` it may have run and its answer is lost · `full` Redis refuses writes · `null` no trouble of Redis.
 */
export function redisTrouble(error: unknown): 'away' | 'lost' | 'full' | null {
  if (!(error instanceof Error)) return null;
  if (REFUSES_WRITES.test(error.message)) return 'full';
  // Of a transaction Redis tells the cause with the command that it refused.
  if (error.message.startsWith('EXECABORT') && refusedInside(error)) return 'full';
  if (/^(LOADING|READONLY|MASTERDOWN|NOREPLICAS)\b/.test(error.message) || error.message.includes("Stream isn't writeable"))
    return 'away';
  if (
    error.name === 'MaxRetriesPerRequestError' ||
    /Connection is closed|Command timed out|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND/.test(error.message)
  )
    return 'lost';
  return null;
}
