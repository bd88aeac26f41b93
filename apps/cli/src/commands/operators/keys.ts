import type { ApiKeyView } from '@grsai-jobs/jobs';
import { defineCommand, defineGroup, option } from '../../command.ts';
import { firstOf } from '../../first.ts';
import { SHARED } from '../../job-options.ts';
import { ago } from '../../output/format.ts';
import type { Column } from '../../output/table.ts';
import { seconds, words } from '../../values.ts';

const columns = (now: number): Column<ApiKeyView>[] => [
  { head: 'KEY', cell: ({ id }) => id },
  { head: 'TENANT', cell: ({ tenant }) => tenant },
  { head: 'NAME', cell: ({ name }) => name, shrinks: true },
  { head: 'SCOPES', cell: ({ scopes }) => scopes.join(' '), shrinks: true },
  { head: 'CREATED', cell: ({ created_at }) => ago(created_at, now), align: 'right', yields: 1 },
  {
    head: 'USED',
    cell: ({ last_used_at }) => (last_used_at === null ? 'never' : ago(last_used_at, now)),
    align: 'right',
    yields: 2,
  },
  { head: 'EXPIRES', cell: ({ expires_at }) => expires_at ?? 'never' },
];

const list = defineCommand<{ tenant?: string; limit: number }>({
  usage: 'list',
  about: 'List API keys, the newest first; their texts are not kept',
  isDefault: true,
  examples: [['keys --tenant acme', 'of a tenant']],
  options: [SHARED.tenant(), SHARED.limit()],
  run: async ({ client, out, host }, { tenant, limit }) => {
    await out.rows(firstOf<ApiKeyView>(client, '/admin/v1/keys', { tenant }, limit), columns(host.now()), 'No keys.');
    return 'ok';
  },
});

interface CreateOptions {
  tenant: string;
  name: string;
  scopes: string[];
  lives?: number;
  reason?: string;
}

const create = defineCommand<CreateOptions>({
  usage: 'create',
  about: 'Make an API key; its text is shown once, on stdout',
  examples: [
    ['keys create --tenant acme --name "back end" --scopes jobs:read,jobs:write', 'for a back end'],
    ['keys create --tenant ops --name laptop --scopes admin:read --lives 30d', 'for an operator, for a month'],
  ],
  options: [
    option('--tenant <name>', 'whose key it is').makeOptionMandatory(),
    option('--name <text>', 'what it is for').makeOptionMandatory(),
    option(
      '--scopes <list>',
      'of jobs:read, jobs:write, webhooks:write, admin:read, admin:write, admin:keys',
      words,
    ).makeOptionMandatory(),
    option('--lives <span>', 'how long it is good, such as 12h or 30d (default: until it is revoked)', seconds),
    option('--reason <text>', 'why; it stands in the audit log'),
  ],
  run: async ({ client, out, hint, host }, { tenant, name, scopes, lives, reason }) => {
    const expires_at = lives === undefined ? undefined : new Date(host.now() + lives * 1000).toISOString();
    const json = { tenant, name, scopes, expires_at, reason };
    const made = await client.request<ApiKeyView & { key: string }>('POST', '/admin/v1/keys', { json });
    hint(`${made.id} of ${made.tenant}. This is the only time that the key is shown:`);
    await out.value(made, ({ key }) => key);
    return 'ok';
  },
});

const revoke = defineCommand<{ reason: string }>({
  usage: 'revoke <key-id>',
  about: 'Take an API key back; every process refuses it at once',
  examples: [['keys revoke key_9f2c… --reason "it was in a log"', 'for good']],
  options: [SHARED.reason()],
  run: async ({ client, out }, { reason }, [id = '']) => {
    await client.request('DELETE', `/admin/v1/keys/${encodeURIComponent(id)}`, { query: { reason } });
    await out.value({ id, revoked: true }, () => `${id} revoked`);
    return 'ok';
  },
});

export const keys = defineGroup('keys', 'API keys: list, create, revoke', [list, create, revoke]);
