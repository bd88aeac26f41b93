import { InvalidArgumentError } from 'commander';

/** What turns the texts of flags into values; a wrong one is a usage error that names the flag. */

const wrong = (message: string): InvalidArgumentError => new InvalidArgumentError(message);

const UNIT_S: Readonly<Record<string, number>> = { s: 1, m: 60, min: 60, h: 3600, d: 86_400 };

/** `90`, `90s`, `15m`, `2h`, `1d` in seconds. */
export function seconds(text: string): number {
  const [, digits, unit = 's'] = /^(\d{1,9})(s|m|min|h|d)?$/.exec(text.trim()) ?? [];
  if (digits === undefined) throw wrong('must be a span such as 90s, 15m, 2h or 1d.');
  return Number(digits) * (UNIT_S[unit] ?? 1);
}

/** RFC 3339, a date, or a span that is taken as so long ago; answers RFC 3339 in UTC. */
export const instant =
  (now: () => number) =>
  (text: string): string => {
    if (/^\d+(s|m|min|h|d)$/.test(text)) return new Date(now() - seconds(text) * 1000).toISOString();
    const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
    if (Number.isNaN(at)) throw wrong('must be a time such as 2026-05-01T12:00:00Z, or a span such as 2h for two hours ago.');
    return new Date(at).toISOString();
  };

/** A whole number of at least 1. */
export function positive(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw wrong('must be a whole number of 1 or more.');
  return Number(text);
}

/** A whole number of at least 0. */
export function whole(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw wrong('must be a whole number.');
  return Number(text);
}

const UNIT_BYTES: Readonly<Record<string, number>> = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3, tb: 1024 ** 4 };

/** `0`, `512kb`, `10gb` in bytes, as in the settings of the service. */
export function size(text: string): number {
  const [, digits, unit = 'b'] = /^(\d{1,12})(b|kb|mb|gb|tb)?$/i.exec(text.trim()) ?? [];
  const bytes = Number(digits) * (UNIT_BYTES[unit.toLowerCase()] ?? 1);
  if (digits === undefined || bytes > 1e12) throw wrong('must be bytes such as 500mb or 10gb, 900gb at most.');
  return bytes;
}

/** `k=v`, given once for each pair. */
export function pairs(text: string, previous: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw wrong('must be name=value.');
  return { ...previous, [text.slice(0, at)]: text.slice(at + 1) };
}

/** Separated by commas, or given several times. */
export const words = (text: string, previous: readonly string[] = []): string[] => [
  ...previous,
  ...text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== ''),
];

/** Given several times, each as it is: URLs may hold commas. */
export const several = (text: string, previous: readonly string[] = []): string[] => [...previous, text];

/** `1000000/month`, `50000/day`, `2000000/total`. */
export function budget(text: string): { credits: number; period: 'day' | 'month' | 'total' } {
  const [, credits, period] = /^([1-9]\d{0,11})\/(day|month|total)$/.exec(text) ?? [];
  if (credits === undefined) throw wrong('must be credits and a period, such as 1000000/month, 50000/day or 2000000/total.');
  return { credits: Number(credits), period: period as 'day' | 'month' | 'total' };
}
