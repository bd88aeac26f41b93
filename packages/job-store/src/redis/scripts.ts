import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { BRAKE_RULES, ENDPOINT_RULES } from '@grsai-jobs/jobs';
import { Command, type Redis } from 'ioredis';

/** One Lua file, with what it shares with others behind its shebang line. */
interface Script {
  readonly text: string;
  readonly sha: string;
}

const lua = (file: string) => readFileSync(new URL(`../${file}.lua`, import.meta.url), 'utf8');

/** Numbers as a table of Lua, so that they need not be sent and read with each call. */
const table = (name: string, rules: Readonly<Record<string, number>>) =>
  `local ${name} = { ${Object.entries(rules)
    .map(([key, value]) => `${key} = ${value}`)
    .join(', ')} }\n`;

const WEBHOOKS = () => table('rules', ENDPOINT_RULES) + lua('webhook/webhooks');
const BRAKE = () => table('brake_rules', BRAKE_RULES);

/** What some scripts share behind the prelude. */
const SHARED: Readonly<Partial<Record<string, () => string>>> = {
  move: WEBHOOKS,
  'open-try': WEBHOOKS,
  settle: WEBHOOKS,
  release: WEBHOOKS,
  'let-in': WEBHOOKS,
  begin: () => BRAKE() + lua('operator/braked'),
  'brake-note': BRAKE,
};

function load(folder: string, name: string): Script {
  const own = lua(`${folder}/${name}`);
  const shebang = own.slice(0, own.indexOf('\n') + 1);
  const shared = SHARED[name]?.() ?? '';
  const text = `${shebang}${lua('redis/prelude')}${shared}${own.slice(shebang.length)}`;
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}

/** Every script by the folder that it stands in, beside the TypeScript that runs it. */
const SCRIPTS = {
  job: ['accept', 'begin', 'move', 'keep-task', 'learn', 'erase', 'erasing', 'inputs-take'],
  batch: [
    'batch-open',
    'batch-add',
    'batch-note',
    'batch-discard',
    'batch-commit',
    'batch-reveal',
    'batch-cancel',
    'batch-finish',
    'batch-replace',
    'batch-erase',
    'batch-forget',
    'claim',
    'unclaim',
  ],
  webhook: ['read-delivery', 'open-try', 'settle', 'release', 'let-in', 'tell'],
  operation: ['work-add', 'work-take', 'work-leave', 'bulk-step', 'bulk-turn'],
  tenant: ['usage-check', 'swap-secrets', 'revoke'],
  operator: ['audit', 'queue-change', 'pause-until', 'brake-note'],
  redis: ['postpone', 'forget', 'set-field', 'schema-swap'],
} as const;
type ScriptName = (typeof SCRIPTS)[keyof typeof SCRIPTS][number];

/** Runs a script by its digest; a Redis that does not know it (a restart) gets the text. */
export type RunScript = (name: ScriptName, keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>;

export function createScripts(redis: Redis): RunScript {
  const scripts = Object.fromEntries(
    Object.entries(SCRIPTS).flatMap(([folder, names]) => names.map((name) => [name, load(folder, name)])),
  ) as Record<ScriptName, Script>;
  return async (name, keys, args) => {
    const { sha, text } = scripts[name];
    const given = [keys.length, ...keys, ...args];
    try {
      return await send(redis, 'evalsha', [sha, ...given]);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return await send(redis, 'eval', [text, ...given]);
    }
  };
}

/**
 * V8 allocates a function of each command of ioredis as old, and with it everything that the command holds stays in memory
 * until a full collection: so its arguments, which may be a MiB, are taken from it when it has its answer.
 */
async function send(redis: Redis, name: 'eval' | 'evalsha', args: (string | number)[]): Promise<unknown> {
  const command = new Command(name, args, { replyEncoding: 'utf8' });
  try {
    return await redis.sendCommand(command);
  } finally {
    command.args = [];
  }
}
