/** How `REDIS_URL` is read. It imports nothing: whoever checks a configuration needs no client of Redis for that. */

/** Where a Redis is, and as whom it is spoken to. */
export interface RedisAddress {
  /** One server · a primary that Sentinels know by `name` · the nodes of a Cluster that own our slots. */
  readonly kind: 'single' | 'sentinel' | 'cluster';
  readonly tls: boolean;
  /** Of a Sentinel or Cluster any of them: the others are asked for. */
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number;
  /** What Sentinels call the primary. */
  readonly name: string;
  /** As whom the Sentinels themselves are spoken to. */
  readonly sentinel: { readonly username: string | undefined; readonly password: string | undefined };
}

const SCHEME = /^(redis|rediss)(?:\+(sentinel|cluster))?:\/\//i;
const PORTS = { single: 6379, sentinel: 26_379, cluster: 6379 } as const;
const EXAMPLES = {
  single: 'redis://localhost:6379, or with a password redis://default:password@host:6379',
  sentinel: 'redis+sentinel://a:26379,b:26379,c:26379/mymaster',
  cluster: 'redis+cluster://a:6379,b:6379,c:6379',
} as const;
const ESCAPES = 'in a password write / as %2F, @ as %40, : as %3A, ? as %3F';
const OPTIONS = ['db', 'sentinelUsername', 'sentinelPassword'] as const;

/** Thrown with what is wrong. It repeats nothing of the address, which may hold a password. */
class AddressError extends Error {}

function wrong(text: string): never {
  throw new AddressError(text);
}

function readNode(text: string, kind: RedisAddress['kind']): { host: string; port: number } {
  const url = URL.canParse(`redis://${text}`) ? new URL(`redis://${text}`) : undefined;
  if (url === undefined || url.hostname === '' || url.pathname + url.search + url.username !== '')
    wrong(`is no address, as in ${EXAMPLES[kind]}; ${ESCAPES}`);
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(url.port || PORTS[kind]) };
}

function unescaped(text: string | undefined): string | undefined {
  try {
    return text === undefined || text === '' ? undefined : decodeURIComponent(text);
  } catch {
    return wrong('has a % in its user name or password that begins no escape: write it as %25');
  }
}

/**
 * Reads `redis://[user:password@]host[:port][/db]`, `redis+sentinel://[user:password@]a,b,c/name[?db=&sentinelUsername=&sentinelPassword=]` or
 * `redis+cluster://[user:password@]a,b,c`, each with `rediss` for TLS.
 * @throws with a sentence without a subject, such as “is no address, …”.
 */
export function readRedisAddress(value: string): RedisAddress {
  const [scheme, protocol = '', mode] = SCHEME.exec(value) ?? [];
  if (scheme === undefined)
    wrong(`must be a redis: or rediss: URL, as in ${EXAMPLES.single}, ${EXAMPLES.sentinel} or ${EXAMPLES.cluster}`);
  if (value.includes('#')) wrong('has a # in it: in a password write it as %23');
  const kind = (mode?.toLowerCase() ?? 'single') as RedisAddress['kind'];
  const [, authority = '', path = '', query = ''] = /^([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/.exec(value.slice(scheme.length)) ?? [];
  const at = authority.lastIndexOf('@');
  const [username, ...password] = at === -1 ? [] : authority.slice(0, at).split(':');
  const hosts = authority
    .slice(at + 1)
    .split(',')
    .filter((host) => host !== '');
  if (hosts.length === 0) wrong(`is no address, as in ${EXAMPLES[kind]}; ${ESCAPES}`);
  if (kind === 'single' && hosts.length > 1)
    wrong(`names several servers: of Sentinels write ${EXAMPLES.sentinel}, of a Cluster ${EXAMPLES.cluster}`);
  const nodes = hosts.map((host) => readNode(host, kind));
  const options = new URLSearchParams(query);
  for (const name of options.keys())
    if (kind !== 'sentinel' || !(OPTIONS as readonly string[]).includes(name))
      wrong(kind === 'sentinel' ? `may have ${OPTIONS.join(', ')} behind its ? and nothing else` : 'must end before the ?');
  return {
    ...{ kind, tls: protocol.toLowerCase() === 'rediss', nodes, ...placeOf(kind, path, options) },
    username: unescaped(username),
    password: unescaped(password.join(':')),
    sentinel: {
      username: options.get('sentinelUsername') ?? undefined,
      password: options.get('sentinelPassword') ?? undefined,
    },
  };
}

/** What stands behind the hosts: the number of a database, or the name of a primary. */
function placeOf(kind: RedisAddress['kind'], path: string, options: URLSearchParams): Pick<RedisAddress, 'db' | 'name'> {
  if (kind === 'sentinel') {
    const db = options.get('db') ?? '0';
    if (!/^[\w.-]{1,100}$/.test(path)) wrong(`must end with the name of the primary, as in ${EXAMPLES.sentinel}`);
    if (!/^\d{1,4}$/.test(db)) wrong('must have the number of a database behind db=');
    return { db: Number(db), name: path };
  }
  if (kind === 'cluster' && !/^0?$/.test(path)) wrong('may have no database: a Cluster has none but 0');
  if (!/^\d{0,4}$/.test(path)) wrong('may have the number of a database behind its host and nothing else, as in /0');
  return { db: Number(path), name: '' };
}

/** What is wrong with an address; `undefined` when nothing is. */
export function redisAddressProblem(value: string): string | undefined {
  try {
    readRedisAddress(value);
    return undefined;
  } catch (error) {
    if (error instanceof AddressError) return error.message;
    throw error;
  }
}
