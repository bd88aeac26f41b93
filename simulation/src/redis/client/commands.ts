type Method = (...args: unknown[]) => Promise<never>;

/** Commands as methods of a connection. What ioredis has beyond these nobody here uses. */
export abstract class CommandMethods {
  readonly config = this.#method('config');
  readonly dbsize = this.#method('dbsize');
  readonly del = this.#method('del');
  readonly eval = this.#method('eval');
  readonly evalsha = this.#method('evalsha');
  readonly exists = this.#method('exists');
  readonly expire = this.#method('expire');
  readonly flushall = this.#method('flushall');
  readonly get = this.#method('get');
  readonly getdel = this.#method('getdel');
  readonly hdel = this.#method('hdel');
  readonly hexists = this.#method('hexists');
  readonly hget = this.#method('hget');
  readonly hgetall = this.#method('hgetall');
  readonly hincrby = this.#method('hincrby');
  readonly hkeys = this.#method('hkeys');
  readonly hlen = this.#method('hlen');
  readonly hmget = this.#method('hmget');
  readonly hset = this.#method('hset');
  readonly hsetnx = this.#method('hsetnx');
  readonly hstrlen = this.#method('hstrlen');
  readonly hvals = this.#method('hvals');
  readonly incr = this.#method('incr');
  readonly incrby = this.#method('incrby');
  readonly info = this.#method('info');
  readonly keys = this.#method('keys');
  readonly lindex = this.#method('lindex');
  readonly llen = this.#method('llen');
  readonly lpush = this.#method('lpush');
  readonly lrange = this.#method('lrange');
  readonly lrem = this.#method('lrem');
  readonly mget = this.#method('mget');
  readonly mset = this.#method('mset');
  readonly persist = this.#method('persist');
  readonly pexpire = this.#method('pexpire');
  readonly ping = this.#method('ping');
  readonly pttl = this.#method('pttl');
  readonly publish = this.#method('publish');
  readonly rename = this.#method('rename');
  readonly rpush = this.#method('rpush');
  readonly sadd = this.#method('sadd');
  readonly scan = this.#method('scan');
  readonly scard = this.#method('scard');
  readonly script = this.#method('script');
  readonly set = this.#method('set');
  readonly sismember = this.#method('sismember');
  readonly smembers = this.#method('smembers');
  readonly srem = this.#method('srem');
  readonly strlen = this.#method('strlen');
  readonly time = this.#method('time');
  readonly ttl = this.#method('ttl');
  readonly type = this.#method('type');
  readonly unlink = this.#method('unlink');
  readonly wait = this.#method('wait');
  readonly xadd = this.#method('xadd');
  readonly xlen = this.#method('xlen');
  readonly xrange = this.#method('xrange');
  readonly xread = this.#method('xread');
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
  readonly zscan = this.#method('zscan');
  readonly zscore = this.#method('zscore');

  /** Answers what Redis answers, in the form in which ioredis gives it. */
  protected abstract send(name: string, args: readonly unknown[]): Promise<never>;

  #method(name: string): Method {
    return (...args) => this.send(name, args);
  }
}
