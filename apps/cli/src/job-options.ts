import { choice, option } from './command.ts';
import { pairs, positive, seconds, words } from './values.ts';

/** Flags that more than one command has. */
export const SHARED = {
  webhookUrl: () => option('--webhook-url <url>', 'where the end is reported'),
  webhookEvents: () => option('--webhook-events <types>', 'which events, separated by commas (default: the ends)', words),
  metadata: () => option('--metadata <name=value>', 'kept with it; once for each pair', pairs),
  priority: () => choice('--priority <p>', 'turn among the jobs of this tenant', ['low', 'normal', 'high']),
  expiresIn: () => option('--expires-in <span>', 'give up after, such as 90s, 15m, 2h (default 24h)', seconds),
  timeout: () => option('--timeout <span>', 'wait at most, such as 90s, 15m, 2h', seconds),
  idempotencyKey: () =>
    option('--idempotency-key <key>', 'the same key and body make one, for 72 hours at least (default: a new one for each call)'),
  reason: () => option('--reason <text>', 'why; it stands in the audit log').makeOptionMandatory(),
  tenant: () => option('--tenant <name>', 'of this tenant'),
  signature: () => option('--signature <id>', 'failed in this way, as `failures` names it'),
  limit: () => option('--limit <n>', 'show at most', positive).default(20),
  yes: () => option('-y, --yes', 'do not ask'),
};
