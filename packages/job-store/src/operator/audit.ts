import { defineScript, type Fields, fieldsOf, type Redis, type RunScript } from '@grsai-jobs/redis';

/** What is done by whom, on what, and why. */
export interface AuditEntry {
  key_id: string;
  key_name: string;
  /** Such as `key.delete`. */
  action: string;
  /** The id or name of what is changed. */
  target: string;
  reason: string;
}

/** `begun`: the outcome was never written, so it may have happened or not. */
export const AUDIT_OUTCOMES = ['done', 'refused', 'failed', 'begun'] as const;
export type AuditOutcome = (typeof AUDIT_OUTCOMES)[number];

export interface AuditLine extends AuditEntry {
  id: string;
  /** Milliseconds since 1970. */
  at: number;
  outcome: AuditOutcome;
  /** More about the outcome: why it was refused, what was changed. */
  detail: string;
}

export interface AuditFilter {
  /** The id or the name of a key. */
  who?: string;
  action?: string;
  target?: string;
}

/** Some 30 MB; the oldest lines go then. */
const KEEP = 100_000;
const READ_AT_ONCE = 200;
const READ_AT_MOST = 2000;

const writeLine = defineScript({
  lua: new URL('./audit.lua', import.meta.url),
  keys: ['lines', 'open'],
  args: ['kind', 'of?', 'kept', '...fields'],
  whenFull: 'runs',
});

export type Audit = ReturnType<typeof createAudit>;

/**
 * What operators did. A line is written before the change, and one with the outcome after it; a reader sees the one with
 * the outcome. So nothing is ever changed without a line: where the process or Redis dies in between, the first stands
 * alone as `begun`. Lines are written on a full Redis too.
 */
export function createAudit(redis: Redis, run: RunScript, keys: { readonly audit: string; readonly auditOpen: string }) {
  const write = async (
    kind: 'begin' | 'end' | 'note',
    of: string | null,
    entry: AuditEntry,
    outcome: AuditOutcome,
    detail: string,
  ) => {
    const fields = { ...entry, outcome, ...(of === null ? {} : { of }), ...(detail === '' ? {} : { detail }) };
    const args = { kind, of, kept: KEEP, fields: Object.entries(fields).flat() };
    return String(await run(writeLine, { lines: keys.audit, open: keys.auditOpen }, args));
  };

  async function* linesBehind(after: string | null): AsyncIterable<[string, Fields]> {
    for (let at = after; ; ) {
      const found = await redis.xrevrange(keys.audit, at === null ? '+' : `(${at}`, '-', 'COUNT', READ_AT_ONCE);
      for (const [id, flat] of found) yield [id, fieldsOf(flat) ?? {}];
      if (found.length < READ_AT_ONCE) return;
      at = found.at(-1)?.[0] ?? null;
    }
  }

  return {
    /** Before the change. Answers the id of the line, for {@link end}. */
    begin: (entry: AuditEntry): Promise<string> => write('begin', null, entry, 'begun', ''),

    async end(of: string, entry: AuditEntry, outcome: Exclude<AuditOutcome, 'begun'>, detail = ''): Promise<void> {
      await write('end', of, entry, outcome, detail);
    },

    /** A change that needs no line before it: what an operation came to. */
    async note(entry: AuditEntry, detail: string): Promise<void> {
      await write('note', null, entry, 'done', detail);
    },

    /** The newest first. Reads at most 2 000 lines, so a page can be short and still have a next one. */
    async page(o: {
      filter: AuditFilter;
      after: string | null;
      limit: number;
    }): Promise<{ lines: AuditLine[]; next: string | null }> {
      const open = new Set(await redis.smembers(keys.auditOpen));
      const lines: AuditLine[] = [];
      let [at, read] = [o.after, 0];
      for await (const [id, fields] of linesBehind(o.after)) {
        at = id;
        open.delete(fields['of'] ?? '');
        const shown = fields['outcome'] !== 'begun' || open.has(id);
        if (shown && isMeant(o.filter, fields)) lines.push(lineOf(id, fields));
        read += 1;
        if (lines.length === o.limit || read === READ_AT_MOST) return { lines, next: at };
      }
      return { lines, next: null };
    },
  };
}

const isMeant = (filter: AuditFilter, fields: Fields): boolean =>
  (filter.who === undefined || fields['key_id'] === filter.who || fields['key_name'] === filter.who) &&
  (filter.action === undefined || fields['action'] === filter.action) &&
  (filter.target === undefined || fields['target'] === filter.target);

const lineOf = (id: string, fields: Fields): AuditLine => ({
  id,
  at: Number.parseInt(id, 10),
  key_id: fields['key_id'] ?? '',
  key_name: fields['key_name'] ?? '',
  action: fields['action'] ?? '',
  target: fields['target'] ?? '',
  reason: fields['reason'] ?? '',
  outcome: (fields['outcome'] ?? 'begun') as AuditOutcome,
  detail: fields['detail'] ?? '',
});
