import { createHash } from 'node:crypto';

type Part = string | number;

/** SHA-256 of the parts: all chance in the emulator is a hash, so that the order of requests cannot change a draw. */
export function digest(...parts: readonly Part[]): Buffer {
  return createHash('sha256').update(parts.join('\u0000')).digest();
}

/** A number in [0, 1) that the same parts always give. */
export function unit(...parts: readonly Part[]): number {
  return digest(...parts).readUInt32BE(0) / 2 ** 32;
}

/** 32 hex digits, as result files and upload keys are named. */
export function hex32(...parts: readonly Part[]): string {
  return digest(...parts).toString('hex', 0, 16);
}

/** A version 4 UUID in form, made of a hash. */
function uuid(...parts: readonly Part[]): string {
  const bytes = digest(...parts);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex', 0, 16);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** Prefixes seen before the uuid of an id (upstream.md §3.2). They mean nothing. */
const PREFIXES = [1, 3, 4, 6, 12, 14] as const;

/** `<small integer>-<uuid v4>` (upstream.md §3.2). */
export function upstreamId(...parts: readonly Part[]): string {
  return `${PREFIXES[Math.floor(unit('prefix', ...parts) * PREFIXES.length)]}-${uuid(...parts)}`;
}

/** A time in milliseconds, or a range that one is drawn from evenly. */
export type Span = number | { readonly min: number; readonly max: number };

/** The time inside `span` that `chance` (in [0, 1)) stands for, in whole milliseconds. */
export function drawSpan(span: Span, chance: number): number {
  return typeof span === 'number' ? span : Math.round(span.min + (span.max - span.min) * chance);
}
