import type { NamedFinding } from './checks.ts';

/** Whoever asks whether a process is ready does not wait for longer, in ms; a part that does not answer in this time is not. */
export const READY_LIMIT_MS = 2000;

/** What anyone may know: whether it is ready, and the names of what a person has to look at. */
function readinessOf(rows: readonly NamedFinding[]): { ok: boolean; names: { status: string; warnings?: string[] } } {
  const warnings = rows.filter(({ finding }) => finding.state === 'warn').map(({ name }) => name);
  const ok = rows.every(({ finding }) => finding.state !== 'failing');
  return { ok, names: { status: ok ? 'ok' : 'failing', ...(warnings.length > 0 ? { warnings } : {}) } };
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

/** The answer of `/readyz`: names always, reasons when it was asked for them or something fails. */
export function readyAnswer(
  rows: readonly NamedFinding[],
  o: { verbose: boolean; pauses?: unknown },
): { ok: boolean; body: object } {
  const { ok, names } = readinessOf(rows);
  const pauses = o.pauses === undefined ? {} : { pauses: o.pauses };
  return { ok, body: { ...names, ...pauses, ...(o.verbose || !ok ? { checks: detailsOf(rows) } : {}) } };
}
