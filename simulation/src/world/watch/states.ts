/** What the promises say of a job in one state, told once more: a table of the product that is wrong has to be seen. */
interface Told {
  /** Where one change may lead from here. */
  readonly to: readonly string[];
  /** Whose entry it has: a job that goes to another gets a new step. `null`: none. */
  readonly entry: 'call' | 'poll' | 'store' | null;
  /** A paid call of ours is in flight. */
  readonly call?: true;
  readonly stored?: true;
  readonly end?: 'wanted' | 'unwanted';
  /** What its batch counts it as. */
  readonly counted: 'queued' | 'running' | 'succeeded' | 'failed' | 'canceled' | 'expired';
}

const ENDS = ['succeeded', 'failed', 'canceled', 'expired'];
/** A retry, or a result that came late. */
const AGAIN = ['queued', 'running/generating', 'running/storing'];

export const STATES: Readonly<Record<string, Told>> = {
  // To be stored: the answer of a chat that has expired before it was called once more.
  queued: { to: ['running/submitting', 'running/storing', ...ENDS], entry: 'call', counted: 'queued' },
  'running/submitting': {
    ...{ entry: 'call', call: true, counted: 'running' },
    to: ['queued', 'running/generating', 'running/storing', 'canceling/submitting', ...ENDS],
  },
  'canceling/submitting': { to: ['running/storing', ...ENDS], entry: 'call', call: true, counted: 'running' },
  'running/generating': { to: ['queued', 'running/storing', ...ENDS], entry: 'poll', counted: 'running' },
  'running/storing': { to: ['canceling/storing', ...ENDS], entry: 'store', stored: true, counted: 'running' },
  'canceling/storing': { to: ENDS, entry: 'store', stored: true, counted: 'running' },
  succeeded: { to: [], entry: null, end: 'wanted', counted: 'succeeded' },
  failed: { to: AGAIN, entry: null, end: 'unwanted', counted: 'failed' },
  canceled: { to: AGAIN, entry: null, end: 'wanted', counted: 'canceled' },
  expired: { to: AGAIN, entry: null, end: 'unwanted', counted: 'expired' },
};
