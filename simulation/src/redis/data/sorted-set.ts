import type { Bytes } from '../bytes.ts';

export interface Scored {
  readonly member: Bytes;
  readonly score: number;
}

/** Places that are kept free in front before the rest moves up. */
const FREE = 32;

/** Members in the order of Redis: by score, then by the bytes of the member. */
export class SortedSet {
  readonly #scores = new Map<Bytes, number>();
  #order: Scored[] = [];
  /** Where the first stands: what is a queue loses its first again and again, and moving all the others each time is slow. */
  #first = 0;

  get size(): number {
    return this.#order.length - this.#first;
  }

  /** Those from `from` to before `to`, from the lowest score on. */
  slice(from = 0, to: number = this.size): Scored[] {
    return this.#order.slice(this.#first + from, this.#first + to);
  }

  score(member: Bytes): number | undefined {
    return this.#scores.get(member);
  }

  /** Answers the score that it had. */
  put(member: Bytes, score: number): number | undefined {
    const before = this.#scores.get(member);
    if (before === score) return before;
    if (before !== undefined) this.#takeOut(this.rankOf(member, before));
    this.#scores.set(member, score);
    const last = this.size === 0 ? undefined : this.#order.at(-1);
    // Most scores are times, and the newest comes last.
    if (last === undefined || last.score < score || (last.score === score && last.member < member))
      this.#order.push({ member, score });
    else this.#putIn(this.rankOf(member, score), { member, score });
    return before;
  }

  /** Answers the score that it had. */
  remove(member: Bytes): number | undefined {
    const score = this.#scores.get(member);
    if (score === undefined) return undefined;
    this.#takeOut(this.rankOf(member, score));
    this.#scores.delete(member);
    return score;
  }

  #putIn(rank: number, scored: Scored): void {
    if (rank === 0 && this.#first > 0) this.#order[--this.#first] = scored;
    else this.#order.splice(this.#first + rank, 0, scored);
  }

  #takeOut(rank: number): void {
    if (rank > 0) {
      this.#order.splice(this.#first + rank, 1);
      return;
    }
    this.#first++;
    if (this.#first < Math.max(FREE, this.size)) return;
    this.#order = this.slice();
    this.#first = 0;
  }

  rank(member: Bytes): number | undefined {
    const score = this.#scores.get(member);
    return score === undefined ? undefined : this.rankOf(member, score);
  }

  /** Where a member with this score stands or would stand. */
  rankOf(member: Bytes, score: number): number {
    let low = this.#first;
    let high = this.#order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = this.#order[middle] as Scored;
      if (at.score > score || (at.score === score && at.member >= member)) high = middle;
      else low = middle + 1;
    }
    return low - this.#first;
  }

  /** Rank of the first whose score is at least this; above it when `above`. */
  firstFrom(score: number, above = false): number {
    let low = this.#first;
    let high = this.#order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = (this.#order[middle] as Scored).score;
      if (above ? at > score : at >= score) high = middle;
      else low = middle + 1;
    }
    return low - this.#first;
  }
}
