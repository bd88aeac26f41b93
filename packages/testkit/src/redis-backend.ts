export interface RedisOptions {
  /** Append-only file and its fsync policy. Default `no`: then a kill or restart loses everything, as Redis promises. */
  appendonly?: 'always' | 'everysec' | 'no';
  /** As in redis.conf, e.g. `'8mb'`. */
  maxmemory?: string;
  /** More of the command line, e.g. `['--hz', '100']`. */
  args?: readonly string[];
}

/** A running Redis for one test or one test file. */
export interface RedisHandle {
  /** `redis://host:port` (or `TEST_REDIS_URL` as it is). */
  readonly url: string;
  readonly port: number;
  /** Random. On a shared Redis keep to keys that start with it: they are what `stop` removes there. */
  readonly prefix: string;
  /** True for `TEST_REDIS_URL`: then `kill`, `restart`, `pause` and `resume` throw. */
  readonly shared: boolean;
  /** Process id of the server (changes with `restart`); 0 when it is shared. */
  readonly pid: number;
  /** SIGKILL; returns when the process is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same directory and port (a living one gets SIGTERM first); returns when it answers. */
  restart(): Promise<void>;
  /** SIGSTOP: connections stay open and nothing answers. */
  pause(): Promise<void>;
  /** SIGCONT. */
  resume(): Promise<void>;
  /** Ends the server and removes its directory. A second call does nothing. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What a way to run Redis has to offer; see redis-server.ts and redis-container.ts. */
export interface RedisBackend extends Pick<RedisHandle, 'kill' | 'restart' | 'pause' | 'resume' | 'stop'> {
  readonly host: string;
  readonly port: number;
  pid(): number;
}
