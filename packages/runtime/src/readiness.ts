import type { Build } from './build-info.ts';
import type { NamedFinding } from './checks.ts';

/** Whoever asks whether a process is ready does not wait for longer, in ms; a part that does not answer in this time is not. */
export const READY_LIMIT_MS = 2000;

interface Names {
  readonly status: 'ok' | 'failing';
  readonly failing?: readonly string[];
  readonly warnings?: readonly string[];
}

/** What anyone may know: whether it is ready, and the names of what a person has to look at. */
function readinessOf(rows: readonly NamedFinding[]): { ok: boolean; names: Names } {
  const namesOf = (state: string) => rows.filter(({ finding }) => finding.state === state).map(({ name }) => name);
  const [failing, warnings] = [namesOf('failing'), namesOf('warn')];
  const ok = failing.length === 0;
  const names = {
    status: ok ? 'ok' : 'failing',
    ...(ok ? {} : { failing }),
    ...(warnings.length > 0 ? { warnings } : {}),
  } as const;
  return { ok, names };
}

/** The same with reasons, for those who run it. `ok` is false for a warning too. */
function detailsOf(rows: readonly NamedFinding[]): Record<string, { ok: boolean; state: string; facts?: string }> {
  return Object.fromEntries(
    rows.map(({ name, finding }) => [
      name,
      {
        ok: finding.state === 'ok' || finding.state === 'unknown',
        state: finding.state,
        ...(finding.state === 'ok' ? {} : { facts: finding.reason }),
      },
    ]),
  );
}

/** The answer of `/readyz`: names for anyone; reasons, which may name addresses and accounts, only where `verbose` was granted. */
export function readyAnswer(
  rows: readonly NamedFinding[],
  o: { verbose: boolean; pauses?: unknown; build?: Build },
): { ok: boolean; body: object } {
  const { ok, names } = readinessOf(rows);
  const pauses = o.pauses === undefined ? {} : { pauses: o.pauses };
  const details = { ...(o.build === undefined ? {} : { build: o.build }), checks: detailsOf(rows) };
  return { ok, body: { ...names, ...pauses, ...(o.verbose ? details : {}) } };
}
