/** Ms since 1970 with a fraction, the same for all processes of the machine. */
export const nowMs = (): number => performance.timeOrigin + performance.now();

/** A text that says when it was sent. */
export const sentNow = (): string => `sent at ${nowMs()} `;

/** When a text was sent, by itself; `undefined`: it does not say. */
export function sentAt(text: string): number | undefined {
  const found = /sent at (\d+\.\d+)/.exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}
