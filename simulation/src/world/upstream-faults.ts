import { GrsaiError, type GrsaiErrorInit } from '@grsai-jobs/grsai';
import type { Random } from '../random.ts';
import type { Oddities } from './oddities.ts';
import { type Answered, answerOf } from './request.ts';

export const BASES = ['https://one.upstream.example', 'https://two.upstream.example'] as const;

/** What upstream does with calls at one time. */
export type UpstreamCondition =
  | 'well'
  /** No connection can be made. */
  | 'away'
  /** It takes requests, acts on them, and never answers. */
  | 'silent'
  | 'rate_limited'
  | 'no_credits'
  | 'refuses_key'
  | 'strange';

/** A call as it comes to upstream. */
interface Call<T> {
  /** Until its answer, where nothing goes wrong. */
  readonly tookMs: number;
  /** What it does, and what is answered. */
  readonly act: () => T;
  /** It was taken and came to nothing. */
  readonly failed: () => void;
}

export const errorOf = (init: GrsaiErrorInit): GrsaiError => new GrsaiError({ base: BASES[0], ...init });

const failure = (init: GrsaiErrorInit, inMs: number): Answered<never> => ({
  kind: 'answer',
  inMs,
  give: () => {
    throw errorOf(init);
  },
});

const RATE_LIMITED: GrsaiErrorInit = {
  code: 'rate_limited',
  outcome: 'refused',
  category: 'rate_limited',
  status: 429,
  retryable: true,
  message: 'too many requests',
};

const NO_CREDITS: GrsaiErrorInit = {
  code: 'refused',
  outcome: 'refused',
  category: 'balance',
  status: 402,
  retryable: true,
  message: 'insufficient credits',
};

const REFUSES_KEY: GrsaiErrorInit = {
  code: 'refused',
  outcome: 'refused',
  category: 'auth',
  status: 401,
  retryable: false,
  message: 'apikey error',
};

const STRANGE: GrsaiErrorInit = {
  code: 'refused',
  outcome: 'refused',
  category: 'unknown',
  status: 400,
  retryable: false,
  message: 'the moon is in the wrong house',
};

const FAILED: GrsaiErrorInit = {
  code: 'refused',
  outcome: 'refused',
  category: 'transient',
  status: 500,
  retryable: true,
  message: 'try again later',
};

const UNAVAILABLE: GrsaiErrorInit = {
  code: 'refused',
  outcome: 'refused',
  category: 'model',
  status: 400,
  retryable: false,
  message: 'model under maintenance',
};

/** What comes of a call under this condition: its answer, an error as the client of upstream throws it, or nothing. */
export function meet<T>(condition: UpstreamCondition, oddities: Oddities, random: Random, call: Call<T>): Answered<T> {
  switch (condition) {
    case 'away':
      return failure({ code: 'connection_failed', outcome: 'not_sent', message: 'connection refused' }, 1);
    case 'silent':
      answerOf(call.act);
      return { kind: 'silence' };
    case 'rate_limited':
      return failure(RATE_LIMITED, 5);
    case 'no_credits':
      return failure(NO_CREDITS, 5);
    case 'refuses_key':
      return failure(REFUSES_KEY, 5);
    case 'strange':
      call.failed();
      return failure(STRANGE, 5);
    case 'well':
      return oddly(oddities, random, call);
  }
}

function oddly<T>({ notSent, lost, failed, unavailable, strange }: Oddities, random: Random, call: Call<T>): Answered<T> {
  if (random.chance(notSent))
    return failure({ code: 'connection_failed', outcome: 'not_sent', message: 'broke while sending' }, 1);
  if (random.chance(failed)) {
    call.failed();
    return failure(FAILED, call.tookMs);
  }
  if (unavailable > 0 && random.chance(unavailable)) return failure(UNAVAILABLE, call.tookMs);
  if (strange > 0 && random.chance(strange)) {
    call.failed();
    return failure(STRANGE, call.tookMs);
  }
  const give = answerOf(call.act);
  if (random.chance(lost))
    return failure({ code: 'connection_lost', outcome: 'unknown', message: 'the connection broke' }, call.tookMs);
  return { kind: 'answer', inMs: call.tookMs, give };
}
