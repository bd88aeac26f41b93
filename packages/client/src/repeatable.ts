/** Which requests may be sent again when it is not known what became of them. */

/** May be sent twice by the rules of HTTP. */
const SAFE: ReadonlySet<string> = new Set(['GET', 'PUT', 'DELETE']);

/** What a POST needs, so that the second of two that are the same does nothing. */
export type Repeat =
  /** Nothing: what it asks for is there already. */
  | 'always'
  /** An Idempotency-Key. */
  | 'key'
  /** `run`, the run that it means, in its body. */
  | 'run'
  /** It cannot: whoever gets no answer looks at what is there before asking again. */
  | 'never';

const ID = '[^/]+';

/** Every POST of the service; a test holds the list against openapi.json. */
export const POSTS: readonly (readonly [path: string, repeat: Repeat])[] = [
  ['/v1/jobs', 'key'],
  [`/v1/jobs/${ID}/cancel`, 'always'],
  [`/v1/jobs/${ID}/retry`, 'run'],
  ['/v1/batches', 'key'],
  [`/v1/batches/${ID}/cancel`, 'always'],
  [`/v1/batches/${ID}/retry-failed`, 'key'],
  // Each makes a secret, and ends the oldest of five.
  ['/v1/webhook-secret/rotate', 'never'],
  // Each makes an attempt.
  [`/v1/webhook-deliveries/${ID}/resend`, 'never'],
  // What has been delivered is not sent again.
  ['/v1/webhook-deliveries/recover', 'always'],
  // Its key is in its answer and nowhere else.
  ['/admin/v1/keys', 'never'],
  [`/admin/v1/jobs/${ID}/requeue`, 'never'],
  [`/admin/v1/webhook-deliveries/${ID}/resend`, 'never'],
  // Answers that count what each of them has found.
  ['/admin/v1/suspects', 'never'],
  ['/admin/v1/restored', 'never'],
  ['/admin/v1/bulk-actions', 'key'],
  [`/admin/v1/bulk-actions/${ID}/abort`, 'never'],
  [`/admin/v1/bulk-actions/${ID}/resume`, 'never'],
];

const WAYS = POSTS.map(([path, repeat]) => [new RegExp(`^${path}$`), repeat] as const);

const can: Readonly<Record<Repeat, (o: { idempotencyKey?: string | undefined; json?: unknown }) => boolean>> = {
  always: () => true,
  key: ({ idempotencyKey }) => idempotencyKey !== undefined,
  run: ({ json }) => typeof (json as { run?: unknown } | undefined)?.run === 'number',
  never: () => false,
};

/** Whether a request may be sent again when it is not known what became of it. */
export function isRepeatable(method: string, path: string, o: { idempotencyKey?: string | undefined; json?: unknown }): boolean {
  if (method !== 'POST') return SAFE.has(method);
  const repeat = WAYS.find(([way]) => way.test(path))?.[1] ?? 'never';
  return can[repeat](o);
}
