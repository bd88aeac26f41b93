/** What the trouble of a store means and what to do, in words that hold no host, key or secret: `/readyz` shows them. */

interface Seen {
  /** The store's or system's own word, such as NoSuchBucket or ECONNREFUSED. */
  readonly word: string;
  readonly status: number;
  readonly message: string;
}

/** The innermost of an error and its causes that has a word or status of its own. */
function seenIn(error: unknown): Seen {
  const found: Seen = { word: '', status: 0, message: error instanceof Error ? error.message : String(error) };
  let at: unknown = error;
  let { word, status } = found;
  for (let depth = 0; depth < 5 && at instanceof Error; depth += 1) {
    const { name, code, $metadata } = at as Error & { code?: unknown; $metadata?: { httpStatusCode?: number } };
    status = $metadata?.httpStatusCode ?? status;
    if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{3,}$/.test(code)) word = code;
    else if (!/^(Error|TypeError|ObjectStoreError|Unknown|UnknownError|AggregateError)$/.test(name) && word === '') word = name;
    at = at.cause;
  }
  return { ...found, word: word.replaceAll(/\W/g, '').slice(0, 60), status };
}

const UNREACHED =
  /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|EPIPE|ETIMEDOUT|TimeoutError|NetworkingError)$/;
const TLS = /CERT|TLS|SSL|EPROTO/;
const CREDENTIALS =
  /^(InvalidAccessKeyId|SignatureDoesNotMatch|InvalidToken|ExpiredToken|ExpiredTokenException|TokenRefreshRequired|InvalidSecurity|NotSignedUp|UnrecognizedClientException)$/;
const ELSEWHERE = /^(PermanentRedirect|TemporaryRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException)$/;
const FULL = /^(QuotaExceeded|XMinioStorageFull|InsufficientStorage|InsufficientCapacity|ENOSPC)$/;

/** In this order; the first that fits. */
const STORE: readonly (readonly [fits: (seen: Seen) => boolean, text: string])[] = [
  [
    ({ word }) => word === 'NoSuchBucket',
    'S3_BUCKET: the store has no such bucket; make it, or correct S3_BUCKET (or S3_ENDPOINT, S3_REGION)',
  ],
  [
    ({ word }) => word === 'CredentialsProviderError',
    'no credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile or role',
  ],
  [
    ({ word, status }) => CREDENTIALS.test(word) || status === 401,
    'AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY: the store refuses these credentials; correct or renew them',
  ],
  [({ word }) => word === 'RequestTimeTooSkewed', 'the clock of this machine and that of the store differ too much: set it'],
  [
    ({ word, status }) => ELSEWHERE.test(word) || (status >= 300 && status < 400),
    'S3_REGION: the bucket is in another region or at another address; correct S3_REGION or S3_ENDPOINT',
  ],
  [({ word, status }) => FULL.test(word) || status === 507, 'the store is full: make room, or raise its quota'],
  [
    ({ status }) => status === 403,
    'the store forbids it: the credentials need to put, get and delete objects in S3_BUCKET under S3_PREFIX',
  ],
  [({ status }) => status === 404, 'S3_ENDPOINT, S3_BUCKET: nothing is there; correct them, or make the bucket'],
  [({ word }) => TLS.test(word), 'S3_ENDPOINT: the certificate of the store is not trusted, or it speaks no TLS'],
  [({ word }) => UNREACHED.test(word), 'S3_ENDPOINT: the store cannot be reached; is it running, and is the address right?'],
  [({ status }) => status >= 500, 'the store fails; it is asked again'],
  [({ word }) => word === 'SyntaxError', 'S3_ENDPOINT: what answers there is no S3 store'],
];

const named = ({ word, status }: Seen): string => {
  const parts = [...(status > 0 ? [`HTTP ${status}`] : []), ...(word === '' ? [] : [word])];
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
};

/** Why S3 took no small object, by what its client threw. */
export function storeAdvice(error: unknown): string {
  const seen = seenIn(error);
  const text = STORE.find(([fits]) => fits(seen))?.[1] ?? 'S3_ENDPOINT, S3_BUCKET: the store took no small object';
  return text + named(seen);
}

const REDIS: readonly (readonly [RegExp, string])[] = [
  [
    /\bMISCONF\b/,
    'Redis refuses writes since it cannot save them: is its disk full? See its log, make room, and it goes on by itself',
  ],
  [/\bOOM\b/, 'Redis refuses writes: its maxmemory is used up'],
  [/\bREADONLY\b/, 'REDIS_URL: this Redis is a replica, which takes no writes; give the address of the primary'],
  [/\b(NOAUTH|WRONGPASS)\b/, 'REDIS_URL: Redis refuses this user name or password'],
  [/\bNOPERM\b/, 'REDIS_URL: the user may not write the keys of REDIS_PREFIX'],
  [/\bLOADING\b/, 'Redis is loading its data; it is asked again'],
  [/\bNOREPLICAS\b/, 'Redis refuses writes: too few of its replicas are well (min-replicas-to-write)'],
];

/** Why Redis took no write. */
export function redisAdvice(error: unknown): string {
  const { message } = seenIn(error);
  return REDIS.find(([words]) => words.test(message))?.[1] ?? `Redis takes no write: ${message.slice(0, 200)}`;
}
