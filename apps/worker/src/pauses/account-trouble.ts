import type { BaseState } from '@grsai-jobs/grsai';
import type { Pause } from '@grsai-jobs/job-store';
import type { Clock, Logger } from '@grsai-jobs/runtime';
import { believed } from './believed.ts';
import type { Money } from './credits.ts';
import { gateOf, type PauseControl } from './pause-control.ts';

/** What concerns all: the key, the credits, and whether the API is where we call it. */
type Account = 'auth' | 'balance' | 'upstream';

/** A probe's answer counts for all who ask within this time, so that a caller's refusals cost no probe each. */
const BELIEVED_MS = 5000;
/** So many jobs in a row, refused for money without one that passed: then what there is does not suffice, though it is more than 0. */
const IN_A_ROW = 5;
/** Money that was short just now still is, when upstream says so again. */
const SHORT_MS = 60_000;

interface Refusal {
  readonly jobId: string;
  readonly reason: Account;
  /** The words may be the caller's own. */
  readonly echo: boolean;
  readonly detail: string;
  /** Where it was called. */
  readonly base?: string | undefined;
}

/** `paused`: it concerns all, and they wait. `own`: it is this job's alone. `unclear`: the probe gave no answer. */
export type Judgement = 'paused' | 'own' | 'unclear';

export interface AccountTrouble {
  /** Decides whether a refusal about the key or the credits concerns all, by a probe, and pauses if so. */
  judge(refusal: Refusal): Promise<Judgement>;
  /** A paid call was taken: key and credits are good. */
  passed(): void;
  /** The pauses that hold, as they were last read. */
  seen(pauses: readonly Pause[]): void;
}

interface AccountProbes {
  /** Neither rejects. */
  readonly key: () => Promise<'valid' | 'refused' | 'unknown'>;
  readonly money: () => Promise<Money>;
  readonly base: (base: string) => Promise<BaseState>;
}

/** The judge of refusals that would stop the jobs of all tenants. What one caller has done never does. */
export function createAccountTrouble(o: {
  control: PauseControl;
  probes: AccountProbes;
  clock: Clock;
  log: Logger;
}): AccountTrouble {
  const { control, clock } = o;
  const key = believed(clock, BELIEVED_MS, o.probes.key);
  const money = believed(clock, BELIEVED_MS, o.probes.money);
  const bases = new Map<string, () => Promise<BaseState>>();
  const held = new Map<Account, 'paused' | 'half'>();
  const short = { jobs: new Set<string>(), until: 0 };

  async function pause({ reason, detail }: Refusal, credits?: Pause['credits']): Promise<Judgement> {
    if (held.get(reason) === 'half') await control.closeAgain(reason, detail);
    else await control.pause(reason, detail, credits);
    held.set(reason, 'paused');
    if (reason === 'balance') {
      short.jobs.clear();
      short.until = clock.now() + SHORT_MS;
    }
    return 'paused';
  }

  async function judgeKey(refusal: Refusal): Promise<Judgement> {
    const state = await key();
    if (state === 'refused') return await pause(refusal);
    return state === 'valid' ? 'own' : 'unclear';
  }

  async function judgeBase(refusal: Refusal): Promise<Judgement> {
    const { base = '' } = refusal;
    const ask = bases.get(base) ?? believed(clock, BELIEVED_MS, () => o.probes.base(base));
    bases.set(base, ask);
    const state = await ask();
    if (state === 'wrong') return await pause(refusal);
    return state === 'right' ? 'own' : 'unclear';
  }

  async function judgeMoney(refusal: Refusal): Promise<Judgement> {
    const { state, credits } = await money();
    if (state === 'broke') return await pause(refusal, credits);
    if (state === 'unknown') return 'unclear';
    if (refusal.echo) return 'own';
    // There is money, and upstream itself says that it is not enough: for this job, or for all, which the next ones will show.
    short.jobs.add(refusal.jobId);
    return short.jobs.size >= IN_A_ROW || clock.now() < short.until ? await pause(refusal, credits) : 'own';
  }

  return {
    async judge(refusal) {
      const state = held.get(refusal.reason);
      // What upstream says itself while all wait for that very reason needs no probe: this job waits with them.
      if (state === 'half' && !refusal.echo) return await pause(refusal);
      if (state === 'paused' && !refusal.echo) return 'paused';
      if (refusal.reason === 'upstream') return await judgeBase(refusal);
      return await (refusal.reason === 'auth' ? judgeKey(refusal) : judgeMoney(refusal));
    },

    passed() {
      short.jobs.clear();
      short.until = 0;
      for (const [reason, state] of held) {
        // The breaker opens `upstream` by itself.
        if (state !== 'half' || reason === 'upstream') continue;
        held.delete(reason);
        control
          .resume(reason)
          .catch((err: unknown) =>
            o.log.warn({ event: 'pause.not_written', err }, 'a pause could not be written; the next call tries again'),
          );
      }
    },

    seen(pauses) {
      for (const reason of ['auth', 'balance', 'upstream'] as const) {
        const state = gateOf(pauses.filter((pause) => pause.reason === reason));
        if (state === 'open') held.delete(reason);
        else held.set(reason, state);
      }
    },
  };
}
