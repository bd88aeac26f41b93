import { ReplyError } from '../errors.ts';
import { flatArguments } from './arguments.ts';
import { shaped } from './replies.ts';
import type { Answer } from './trip.ts';
import type { SentCommand } from './wire.ts';

type Method = (...args: unknown[]) => SimulatedPipeline;

/** Commands that go out together with `exec`. */
export class SimulatedPipeline {
  readonly #run: (commands: readonly SentCommand[]) => Promise<readonly Answer[]>;
  readonly #commands: SentCommand[] = [];

  constructor(run: (commands: readonly SentCommand[]) => Promise<readonly Answer[]>) {
    this.#run = run;
  }

  readonly del = this.#method('del');
  readonly eval = this.#method('eval');
  readonly evalsha = this.#method('evalsha');
  readonly exists = this.#method('exists');
  readonly expire = this.#method('expire');
  readonly get = this.#method('get');
  readonly hdel = this.#method('hdel');
  readonly hexists = this.#method('hexists');
  readonly hget = this.#method('hget');
  readonly hgetall = this.#method('hgetall');
  readonly hincrby = this.#method('hincrby');
  readonly hmget = this.#method('hmget');
  readonly hset = this.#method('hset');
  readonly hsetnx = this.#method('hsetnx');
  readonly hstrlen = this.#method('hstrlen');
  readonly hvals = this.#method('hvals');
  readonly llen = this.#method('llen');
  readonly incr = this.#method('incr');
  readonly incrby = this.#method('incrby');
  readonly lrange = this.#method('lrange');
  readonly mget = this.#method('mget');
  readonly persist = this.#method('persist');
  readonly pexpire = this.#method('pexpire');
  readonly pttl = this.#method('pttl');
  readonly publish = this.#method('publish');
  readonly rpush = this.#method('rpush');
  readonly sadd = this.#method('sadd');
  readonly set = this.#method('set');
  readonly smembers = this.#method('smembers');
  readonly srem = this.#method('srem');
  readonly strlen = this.#method('strlen');
  readonly type = this.#method('type');
  readonly xadd = this.#method('xadd');
  readonly xlen = this.#method('xlen');
  readonly xrange = this.#method('xrange');
  readonly xrevrange = this.#method('xrevrange');
  readonly zadd = this.#method('zadd');
  readonly zcard = this.#method('zcard');
  readonly zcount = this.#method('zcount');
  readonly zincrby = this.#method('zincrby');
  readonly zmscore = this.#method('zmscore');
  readonly zpopmin = this.#method('zpopmin');
  readonly zrange = this.#method('zrange');
  readonly zrangebyscore = this.#method('zrangebyscore');
  readonly zrank = this.#method('zrank');
  readonly zrem = this.#method('zrem');
  readonly zremrangebyscore = this.#method('zremrangebyscore');
  readonly zrevrank = this.#method('zrevrank');
  readonly zscore = this.#method('zscore');

  async exec(): Promise<[Error | null, unknown][]> {
    if (this.#commands.length === 0) return [];
    const answers = await this.#run(this.#commands);
    return answers.map((answer, i) =>
      answer instanceof ReplyError ? [answer, undefined] : [null, shaped(this.#commands[i]?.name ?? '', answer)],
    );
  }

  #method(name: string): Method {
    return (...args) => {
      this.#commands.push({ name, args: flatArguments(args) });
      return this;
    };
  }
}
