export const RETRY_AFTER_UNITS = ['seconds', 'epoch', 'epoch-ms', 'date'] as const;
export type RetryAfterUnit = (typeof RETRY_AFTER_UNITS)[number];

/** The header `Retry-After` for a wait of so many seconds; what is no number is sent as it is, and nothing is no header. */
export function retryAfterText(wait: string, unit: string, now: number): string | undefined {
  if (wait === '') return undefined;
  const at = now + Number(wait) * 1000;
  if (Number.isNaN(at)) return wait;
  switch (unit) {
    case 'epoch':
      return String(Math.ceil(at / 1000));
    case 'epoch-ms':
      return String(at);
    case 'date':
      return new Date(at).toUTCString();
    default:
      return wait;
  }
}
