/**
 * What is asked of a connection to Redis, by us and by the job store, so that a simulation can stand in for one. `Redis` of ioredis has it all; what each
 * method means is said there.
 */

type Text = string | number;
/** Keys and values beside a command, such as `'BYSCORE', 'LIMIT', 0, 10`. */
type Limit = readonly [token: 'LIMIT', offset: number, count: number];

/** Commands that go out together, and are answered together: for each an error or a reply. */
export interface Pipeline {
  del(...keys: string[]): Pipeline;
  exists(...keys: string[]): Pipeline;
  get(key: string): Pipeline;
  hdel(key: string, ...fields: string[]): Pipeline;
  hget(key: string, field: string): Pipeline;
  hgetall(key: string): Pipeline;
  hincrby(key: string, field: string, by: number): Pipeline;
  hmget(key: string, ...fields: string[]): Pipeline;
  hset(key: string, ...fieldsAndTexts: Text[]): Pipeline;
  hsetnx(key: string, field: string, text: Text): Pipeline;
  hvals(key: string): Pipeline;
  llen(key: string): Pipeline;
  pexpire(key: string, ms: number, only: 'NX'): Pipeline;
  sadd(key: string, ...members: string[]): Pipeline;
  set(key: string, text: Text): Pipeline;
  strlen(key: string): Pipeline;
  zadd(key: string, only: 'NX' | 'XX', ...scoresAndMembers: Text[]): Pipeline;
  zcard(key: string): Pipeline;
  zcount(key: string, min: Text, max: Text): Pipeline;
  zrem(key: string, ...members: string[]): Pipeline;
  zremrangebyscore(key: string, min: Text, max: Text): Pipeline;
  exec(): Promise<[error: Error | null, reply: unknown][] | null>;
}

/** A command that is made before it is sent. */
interface Command {
  readonly name: string;
  args: unknown[];
}

export interface Redis {
  readonly status: string;
  config(what: 'GET', name: string): Promise<unknown>;
  del(...keys: string[]): Promise<number>;
  eval(text: string, keys: number, ...keysAndArguments: Text[]): Promise<unknown>;
  evalsha(digest: string, keys: number, ...keysAndArguments: Text[]): Promise<unknown>;
  exists(...keys: string[]): Promise<number>;
  get(key: string): Promise<string | null>;
  hdel(key: string, ...fields: string[]): Promise<number>;
  hexists(key: string, field: string): Promise<number>;
  hget(key: string, field: string): Promise<string | null>;
  hgetall(key: string): Promise<Record<string, string>>;
  hmget(key: string, ...fields: string[]): Promise<(string | null)[]>;
  hset(key: string, fields: object): Promise<number>;
  hset(key: string, ...fieldsAndTexts: Text[]): Promise<number>;
  hvals(key: string): Promise<string[]>;
  info(...sections: string[]): Promise<string>;
  lrange(key: string, from: Text, to: Text): Promise<string[]>;
  mget(...keys: string[]): Promise<(string | null)[]>;
  mget(keys: string[]): Promise<(string | null)[]>;
  ping(): Promise<string>;
  publish(channel: string, message: string): Promise<number>;
  rename(key: string, to: string): Promise<unknown>;
  set(key: string, text: Text, unit: 'PX', ms: Text): Promise<unknown>;
  smembers(key: string): Promise<string[]>;
  time(): Promise<Text[]>;
  /** Answers how many replicas have what this connection has written, after at most `ms`. */
  wait(replicas: number, ms: number): Promise<number>;
  xrange(key: string, from: string, to: string, token: 'COUNT', count: Text): Promise<[id: string, fields: string[]][]>;
  xread(
    ...args: [token: 'COUNT', count: Text, token: 'BLOCK', ms: Text, token: 'STREAMS', ...keysAndIds: string[]]
  ): Promise<[key: string, entries: [id: string, fields: string[]][]][] | null>;
  xrevrange(key: string, from: string, to: string, token: 'COUNT', count: Text): Promise<[id: string, fields: string[]][]>;
  zadd(key: string, ...scoresAndMembers: Text[]): Promise<unknown>;
  zadd(key: string, only: 'NX' | 'XX', ...scoresAndMembers: Text[]): Promise<unknown>;
  zadd(key: string, only: 'XX', than: 'LT', ...scoresAndMembers: Text[]): Promise<unknown>;
  zcard(key: string): Promise<number>;
  zcount(key: string, min: Text, max: Text): Promise<number>;
  zrange(key: string, from: string, to: string): Promise<string[]>;
  zrange(key: string, from: string, to: string, scores: 'WITHSCORES'): Promise<string[]>;
  zrange(key: string, from: string, to: string, order: 'REV', scores: 'WITHSCORES'): Promise<string[]>;
  zrange(key: string, min: string, max: string, by: 'BYSCORE', ...limit: Limit): Promise<string[]>;
  zrange(
    ...args: [key: string, min: string, max: string, by: 'BYSCORE', ...limit: Limit, scores: 'WITHSCORES']
  ): Promise<string[]>;
  zrange(key: string, max: string, min: string, by: 'BYSCORE', order: 'REV', ...limit: Limit): Promise<string[]>;
  zrange(
    ...args: [key: string, max: string, min: string, by: 'BYSCORE', order: 'REV', ...limit: Limit, scores: 'WITHSCORES']
  ): Promise<string[]>;
  /** Of members that all have the same score. */
  zrange(key: string, min: string, max: string, by: 'BYLEX', ...limit: Limit): Promise<string[]>;
  zrange(key: string, max: string, min: string, by: 'BYLEX', order: 'REV', ...limit: Limit): Promise<string[]>;
  zrem(key: string, ...members: string[]): Promise<number>;
  zrevrank(key: string, member: string): Promise<number | null>;
  zscan(key: string, cursor: string, count: 'COUNT', most: number): Promise<[cursor: string, elements: string[]]>;

  pipeline(): Pipeline;
  /** All or nothing, in one step. */
  multi(): Pipeline;
  /** Answers what the command answers. */
  sendCommand(command: Command): unknown;
  /** Pages of keys. */
  scanStream(o: { match: string; count: number }): AsyncIterable<unknown>;

  subscribe(...channels: string[]): Promise<unknown>;
  on(event: 'message', heard: (channel: string, message: string) => void): unknown;
  /** `refused`: a write was refused for now, and is sent again. */
  on(event: 'ready' | 'close' | 'refused', happened: () => void): unknown;
  disconnect(reconnect?: boolean): void;
}
