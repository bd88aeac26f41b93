import { isLabel, says } from './chat-meaning.ts';
import { type Growing, grow, IN_MESSAGE } from './join.ts';
import { isFields } from './json-values.ts';

/** From this length on a text that begins with all that was said before repeats it, and does not go on with the same words. */
const CHANCE = 20;

/**
 * The message of one choice of a stream. A `delta` is a piece, always: one that happens to repeat what was said is said twice. A `message`
 * in its place may be a piece under another name, all that was said up to now, or the whole answer once more at the end. Only all of
 * them together decide, so both readings are kept up.
 */
export class GrowingMessage {
  /** Every piece behind the other. */
  #joined: Growing = { role: 'assistant', content: '' };
  /** The newest `message` with what came after it; `undefined` once one did not hold all that was said before it. */
  #latest: Growing | undefined = this.#joined;
  /** Some `message` was more than a piece. */
  #repeats = false;
  #deltas = false;

  /** A piece. */
  add(piece: Growing): void {
    this.#deltas ||= says(piece);
    this.#joined = grow(this.#joined, piece, IN_MESSAGE);
    if (this.#latest !== undefined) this.#latest = grow(this.#latest, piece, IN_MESSAGE);
  }

  /** A `message`, and the `delta` that may stand beside it. */
  addWhole(message: Growing, piece: Growing): void {
    const before = this.#latest;
    this.#joined = grow(this.#joined, says(piece) ? piece : message, IN_MESSAGE);
    if (before === undefined) return;
    const again = Object.keys(before).filter((name) => !isLabel(name) && says(before[name], name) && says(message[name], name));
    const covered = again.every((name) => covers(message[name], before[name]));
    this.#latest = covered ? replaced(before, message) : undefined;
    const noChance = again.some((name) => sizeOf(message[name]) > sizeOf(before[name]) || sizeOf(before[name]) >= CHANCE);
    this.#repeats ||= covered && again.length > 0 && (this.#deltas || noChance);
  }

  result(): Growing {
    return this.#repeats && this.#latest !== undefined ? this.#latest : this.#joined;
  }
}

/** What the message says in place of what was said before; what it leaves out stays. */
const replaced = (before: Growing, message: Growing): Growing =>
  Object.fromEntries([
    ...Object.entries(before),
    ...Object.entries(message).filter(([name, value]) => says(value, name) || !says(before[name], name)),
  ]);

/** Whether a value holds all of another that was said before it. */
function covers(whole: unknown, part: unknown): boolean {
  if (!says(part, 'content')) return true;
  if (Array.isArray(part)) return Array.isArray(whole) && part.every((item, at) => covers(whole[at], item));
  if (isFields(part))
    return isFields(whole) && Object.entries(part).every(([name, value]) => isLabel(name) || covers(whole[name], value));
  return typeof whole !== 'object' && String(whole).startsWith(String(part));
}

const sizeOf = (value: unknown): number => (typeof value === 'string' ? value : JSON.stringify(value)).length;
