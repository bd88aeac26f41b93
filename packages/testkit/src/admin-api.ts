/** A queue as the admin API answers it; tests look only at what they name. */
export interface Queue {
  name: string;
  paused: boolean;
  waiting: number;
  active: number;
  oldest_age_s: number | null;
  pauses: { reason: string; detail: string }[];
  concurrency: { set: number | null; workers: { concurrency: number; configured: number; open: number }[] };
}

/** A line of the audit. */
export interface AuditLine {
  action: string;
  target: string;
  reason: string;
  outcome: string;
  detail: string | null;
  key: { id: string; name: string };
}
