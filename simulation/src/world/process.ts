import type { Clock, Timers } from '@grsai-jobs/runtime';
import type { Random } from '../random.ts';
import { type Gate, processTime } from '../time/process-time.ts';
import type { VirtualTime } from '../time/virtual-time.ts';

/** One process of the service, as the world sees it. Whatever comes to it, time included, comes through its gate. */
export class SimulatedProcess implements Gate {
  readonly name: string;
  readonly random: Random;
  readonly clock: Clock;
  readonly timers: Timers;
  /** How far its clock is ahead of the world's, in ms. */
  skewMs = 0;
  timesFrozen = 0;
  #state: 'running' | 'frozen' | 'dead' = 'running';
  #held: (() => void)[] = [];
  #heard = 0;
  #entered = 0;
  #next: { left: number; act: () => void } | null = null;

  constructor(name: string, time: VirtualTime, random: Random) {
    this.name = name;
    this.random = random;
    const { clock, timers } = processTime(time, this, () => this.skewMs);
    this.clock = clock;
    this.timers = timers;
  }

  get state(): 'running' | 'frozen' | 'dead' {
    return this.#state;
  }

  /**
   * Does `act` to it just before the `nth` thing that comes to it from now on: what goes wrong at some moment of its own meets it between two steps
   * of its work more often than what goes wrong at some time. Answers how it is called off.
   */
  atNext(nth: number, act: () => void): () => void {
    const next = { left: nth, act };
    this.#next = next;
    return () => {
      if (this.#next === next) this.#next = null;
    };
  }

  enter(happen: () => void): void {
    this.#entered += 1;
    if (this.#next !== null && this.#state === 'running' && --this.#next.left <= 0) {
      const { act } = this.#next;
      this.#next = null;
      act();
    }
    if (this.#state === 'running') happen();
    else if (this.#state === 'frozen') this.#held.push(happen);
  }

  /** Notes what it is told: two that were told the same do the same. */
  hear(text: string): void {
    for (let i = 0; i < text.length; i += 1) this.#heard = (Math.imul(this.#heard, 31) + text.charCodeAt(i)) | 0;
  }

  /** One text for all that it was told and all that came to it. */
  get past(): string {
    return `${this.name} ${this.#state} ${this.#heard} ${this.#entered}`;
  }

  /** Nothing reaches it any more, and so nothing leaves it. What it has sent is on its way. */
  kill(): void {
    this.#state = 'dead';
    this.#held = [];
  }

  freeze(): void {
    if (this.#state !== 'running') return;
    this.#state = 'frozen';
    this.timesFrozen += 1;
  }

  /** Everything that came meanwhile reaches it now. */
  thaw(): void {
    if (this.#state !== 'frozen') return;
    this.#state = 'running';
    const held = this.#held;
    this.#held = [];
    for (const happen of held) this.enter(happen);
  }
}
