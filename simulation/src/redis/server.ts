import type { Bytes } from './bytes.ts';
import { Channels } from './channels.ts';
import { at, integer } from './commands/arguments.ts';
import { type CommandSpec, type Database, OK, type Reply } from './commands/command.ts';
import { globOf } from './commands/glob.ts';
import { COMMANDS } from './commands/index.ts';
import { type Moment, Store } from './data/store.ts';
import { NotModelled, ReplyError, wrongArity } from './errors.ts';
import { thrownValue } from './lua/library.ts';
import { fromLua, table, toLua } from './lua/replies.ts';
import type { Script } from './lua/script.ts';
import { type RunCommand, Scripts } from './lua/scripts.ts';
import { LuaError, LuaTable, type LuaValue } from './lua/values.ts';

/** What a Redis can be besides well. */
export interface Condition {
  /** Its memory is used up: what would grow is refused, `maxmemory-policy noeviction`. */
  full: boolean;
  /** It was a master and is a replica now. */
  readOnly: boolean;
  /** It has started and reads its file. */
  loading: boolean;
  /** Replicas that answer it. */
  replicas: number;
}

/** Lines of INFO and settings that clients ask for. */
const FACTS: Readonly<Record<string, string>> = {
  redis_version: '7.0.15',
  used_memory: '1048576',
  maxmemory: '0',
  maxmemory_policy: 'noeviction',
  aof_enabled: '1',
  aof_last_write_status: 'ok',
  aof_last_bgrewrite_status: 'ok',
  rdb_last_bgsave_status: 'ok',
};
const SETTINGS: Readonly<Record<string, string>> = {
  appendonly: 'yes',
  appendfsync: 'always',
  maxmemory: '0',
  'maxmemory-policy': 'noeviction',
};
const FULL = { used_memory: '104857601', maxmemory: '104857600' };

const OOM = "OOM command not allowed when used memory > 'maxmemory'.";
const READONLY = "READONLY You can't write against a read only replica.";
const LOADING = 'LOADING Redis is loading the dataset in memory';
/** These answer while Redis is loading too. */
const ANSWERS_LOADING = new Set(['INFO', 'CONFIG', 'PUBLISH']);

/** Commands of the server itself. Scripts must not use them. */
const OWN_ARITY: Readonly<Record<string, number>> = { EVAL: -3, EVALSHA: -3, SCRIPT: -2, INFO: -1, CONFIG: -2, WAIT: 3 };

/**
 * A Redis 7.0 in memory: one database, one thread, no socket. Everything in it follows from the commands that it was given and the clock
 * that it reads. A command that it does not know throws {@link NotModelled}.
 */
export class SimulatedRedis implements Database {
  readonly store: Store;
  readonly channels = new Channels();
  readonly condition: Condition = { full: false, readOnly: false, loading: false, replicas: 1 };
  readonly #clock: { now(): number };
  readonly #scripts = new Map<string, Script>();
  readonly #compiled: Scripts;
  /** The script that runs now. */
  #running: { script: Script; hasWritten: boolean } | null = null;
  #afterWrite: (() => void)[] = [];
  /** How often it was started, and how often another server has taken its place. */
  #starts = 1;
  #histories = 1;
  #startedAt: number;
  /** Up to here a replica has said that it has all. */
  #confirmed: Moment | null = null;
  /** Told after each command which keys it has changed, and who sent it. */
  onExecuted: ((touched: ReadonlySet<Bytes>, by: string) => void) | null = null;

  /**
   * @param o.clock ms since 1970: the time of TIME, of stream ids and of what expires.
   * @param o.scripts those that servers before it have compiled.
   */
  constructor(o: { clock: { now(): number }; scripts?: Scripts }) {
    this.#clock = o.clock;
    this.#compiled = o.scripts ?? new Scripts();
    this.store = new Store(() => this.now());
    this.#startedAt = this.now();
  }

  now(): number {
    return Math.floor(this.#clock.now());
  }

  publish(channel: Bytes, message: Bytes): number {
    return this.channels.publish(channel, message);
  }

  /**
   * Runs one command to its end.
   * @param name in any case
   * @param by who has sent it
   * @throws {ReplyError} what Redis answers with an error
   */
  execute(name: string, args: readonly Bytes[], by = ''): Reply {
    const command = name.toUpperCase();
    this.check(command, args);
    const spec = COMMANDS.get(command);
    try {
      const reply = spec === undefined ? this.#own(command, args) : spec.run(this, args);
      if (reply instanceof ReplyError) throw reply;
      this.#told();
      return reply;
    } finally {
      const touched = this.store.takeTouched();
      if (touched.size > 0) this.onExecuted?.(touched, by);
    }
  }

  /** Whether Redis would begin this command now, as it asks when a transaction is queued. */
  check(command: string, args: readonly Bytes[]): void {
    const spec = COMMANDS.get(command);
    const arity = spec?.arity ?? OWN_ARITY[command];
    if (arity === undefined) throw new NotModelled(`the command ${command}`);
    if (!fits(arity, args.length + 1)) throw wrongArity(command);
    const { full, readOnly, loading } = this.condition;
    if (!full && !readOnly && !loading) return;
    const effect = spec === undefined ? this.#effectOf(command, args) : spec.effect;
    if (full && effect === 'grows') throw new ReplyError(OOM);
    if (readOnly && (effect === 'grows' || effect === 'write')) throw new ReplyError(READONLY);
    if (loading && !ANSWERS_LOADING.has(command)) throw new ReplyError(LOADING);
  }

  /** Of a script its flags tell; of one without them each command is asked for itself. */
  #effectOf(command: string, args: readonly Bytes[]): CommandSpec['effect'] {
    if (command !== 'EVAL' && command !== 'EVALSHA') return 'other';
    const script = command === 'EVAL' ? this.#compiled.read(at(args, 0)) : this.#scripts.get(at(args, 0).toLowerCase());
    const flags = script?.flags ?? null;
    if (flags === null || flags.has('no-writes')) return 'read';
    return flags.has('allow-oom') ? 'write' : 'grows';
  }

  #own(command: string, args: readonly Bytes[]): Reply {
    switch (command) {
      case 'EVAL':
        return this.#evaluate(this.#load(at(args, 0)), args);
      case 'EVALSHA': {
        const script = this.#scripts.get(at(args, 0).toLowerCase());
        if (script === undefined) throw new ReplyError('NOSCRIPT No matching script. Please use EVAL.');
        return this.#evaluate(script, args);
      }
      case 'SCRIPT':
        return this.#script(args);
      case 'INFO':
        return this.#info();
      case 'WAIT':
        if (this.condition.replicas > 0) this.#confirmed = this.snapshot();
        return this.condition.replicas;
      default:
        return this.#config(args);
    }
  }

  #script(args: readonly Bytes[]): Reply {
    const what = at(args, 0).toUpperCase();
    if (what === 'LOAD' && args.length === 2) return this.#load(at(args, 1)).sha;
    if (what === 'EXISTS') return args.slice(1).map((sha) => (this.#scripts.has(sha.toLowerCase()) ? 1 : 0));
    if (what !== 'FLUSH') throw new NotModelled(`SCRIPT ${what}`);
    this.#scripts.clear();
    return OK;
  }

  #info(): Bytes {
    const { full, loading, readOnly, replicas } = this.condition;
    const facts = {
      ...{ ...FACTS, ...(full ? FULL : {}), loading: loading ? '1' : '0', ...this.#identity() },
      ...{ role: readOnly ? 'slave' : 'master', connected_slaves: String(replicas) },
      uptime_in_seconds: String(Math.floor((this.now() - this.#startedAt) / 1000)),
    };
    return Object.entries(facts)
      .map(([name, value]) => `${name}:${value}\r\n`)
      .join('');
  }

  #identity(): { run_id: string; master_replid: string } {
    return { run_id: this.#starts.toString(16).padStart(40, '0'), master_replid: this.#histories.toString(16).padStart(40, '0') };
  }

  #config(args: readonly Bytes[]): Reply {
    if (at(args, 0).toUpperCase() !== 'GET') throw new NotModelled(`CONFIG ${at(args, 0)}`);
    const asked = args.slice(1).map(globOf);
    return Object.entries(SETTINGS).flatMap(([name, value]) => (asked.some((fitsName) => fitsName(name)) ? [name, value] : []));
  }

  /** The digest by which Redis knows a script. */
  digestOf(text: Bytes): string {
    return this.#compiled.read(text).sha;
  }

  #load(text: Bytes): Script {
    const script = this.#compiled.read(text);
    this.#scripts.set(script.sha, script);
    return script;
  }

  #evaluate(script: Script, args: readonly Bytes[]): Reply {
    const count = integer(at(args, 1));
    if (count < 0) throw new ReplyError("ERR Number of keys can't be negative");
    if (count > args.length - 2) throw new ReplyError("ERR Number of keys can't be greater than number of args");
    const [keys, argv] = [new LuaTable(args.slice(2, 2 + count)), new LuaTable(args.slice(2 + count))];
    this.#running = { script, hasWritten: false };
    try {
      return fromLua(this.#compiled.run(script, keys, argv, this.#run));
    } catch (error) {
      throw scriptError(thrownValue(error), script.sha);
    } finally {
      this.#running = null;
    }
  }

  /** A command of a script. */
  readonly #run: RunCommand = (spec, args) => {
    if (!fits(spec.arity, args.length + 1)) throw failed('ERR Wrong number of args calling Redis command from script');
    this.#mayCall(spec);
    try {
      return toLua(spec.run(this, args));
    } catch (error) {
      if (error instanceof ReplyError) throw failed(error.message);
      throw error;
    }
  };

  #mayCall({ effect }: CommandSpec): void {
    if (effect === 'read' || effect === 'other') return;
    const running = this.#running;
    if (running === null) return;
    const { flags } = running.script;
    if (flags?.has('no-writes')) throw failed('ERR Write commands are not allowed from read-only scripts.');
    if (flags === null && this.condition.readOnly) throw failed(READONLY);
    // What has begun to write may finish.
    if (flags === null && effect === 'grows' && this.condition.full && !running.hasWritten) throw failed(OOM);
    running.hasWritten = true;
  }

  /** Calls back after the next command that may have changed something; for commands that wait. */
  afterNext(call: () => void): void {
    this.#afterWrite.push(call);
  }

  #told(): void {
    if (this.#afterWrite.length === 0) return;
    const calls = this.#afterWrite;
    this.#afterWrite = [];
    for (const call of calls) call();
  }

  /** A moment to return to. It costs nothing but memory for each change that comes after it, until it is forgotten. */
  snapshot(): Moment {
    return this.store.moment();
  }

  /** Forgets what was written since, as a failover to a replica that lagged. Known scripts stay known. */
  rollback(to: Moment): void {
    this.store.returnTo(to);
  }

  /** Another server takes its place: one that knows nothing of what was written since, nor any script, and has no subscriber. */
  failover(to: Moment): void {
    const ranSince = this.#startedAt;
    this.rollback(to);
    this.restart();
    this.#startedAt = ranSince;
    this.#confirmed = null;
  }

  /** The last moment of which a replica has said that it has all that was written before; `null`: none was asked since the last failover. */
  get confirmed(): Moment | null {
    return this.#confirmed;
  }

  /** Nobody returns to a moment before this one; without one to any. */
  forget(before?: Moment): void {
    this.store.forget(before);
  }

  /** Stops and starts, with all that was written. Digests of scripts are gone, and so are subscriptions. */
  restart(o: { scripts?: 'keep' | 'forget' } = {}): void {
    if (o.scripts !== 'keep') {
      this.#scripts.clear();
      this.#starts += 1;
      this.#histories += 1;
      this.#startedAt = this.now();
    }
    this.#afterWrite = [];
    this.channels.clear();
  }

  /** The same for the same content: keys, values, times to live. */
  fingerprint(): string {
    return this.store.fingerprint();
  }
}

const fits = (arity: number, given: number): boolean => (arity < 0 ? given >= -arity : given === arity);

const failed = (message: string): LuaError => new LuaError(table('err', message));

/** Redis adds which script it was, and the line, which is not known here. */
function scriptError(value: LuaValue, sha: string): ReplyError {
  const err = value instanceof LuaTable ? value.get('err') : value;
  const message = typeof err === 'string' ? err : 'unknown error';
  const coded = value instanceof LuaTable ? message : `ERR user_script: ${message}`;
  return new ReplyError(`${coded} script: ${sha}, on @user_script.`);
}
