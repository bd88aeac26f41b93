/** What upstream does to one job; the directives of the emulator stand in the prompt. */
export interface Fault {
  readonly weight: number;
  readonly directive: string;
  /**
   * Whether the caller can read an answer to the first paid call of this prompt. `lost`: it is cut, comes too late, or is
   * something that no task id can be read from, so the outcome of that call is unknown (design.md §2.7).
   */
  readonly answer: 'kept' | 'lost';
}

const kept = (weight: number, directive: string): Fault => ({ weight, directive, answer: 'kept' });
const lost = (weight: number, directive: string): Fault => ({ weight, directive, answer: 'lost' });

export const NO_FAULT: Fault = kept(0, '');

/** Image tasks. Answers that are held back stand for the submits that are open when something is killed. */
export const SUBMIT_FAULTS: readonly [Fault, ...Fault[]] = [
  kept(30, ''),
  kept(20, '[[hold-ack-ms=1500]]'),
  kept(16, '[[hold-ack-ms=6000]]'),
  lost(5, '[[fault=F6]]'),
  lost(3, '[[fault=F6:as=close]]'),
  lost(1, '[[fault=F6:task=no]]'),
  lost(2, '[[fault=F4]]'),
  lost(2, '[[fault=F4:status=503,task=yes]]'),
  lost(1, '[[fault=F9:as=html,at=submit]]'),
  lost(1, '[[fault=F9:as=truncated,at=submit]]'),
  lost(1, '[[fault=F9:as=empty,at=submit]]'),
  lost(1, '[[fault=F22:ms=20000]]'),
  kept(2, '[[fault=F3:retry-after=1]]'),
  kept(2, '[[fault=F9:as=empty]]'),
  kept(2, '[[fault=F9:as=html]]'),
  kept(2, '[[fault=F9:as=reset]]'),
  kept(2, '[[fault=F22:at=poll,ms=4000]]'),
  kept(2, '[[fault=F4:at=poll,times=2]]'),
  kept(7, '[[fault=F16]]'),
  kept(2, '[[fault=F16:times=2]]'),
  kept(1, '[[fault=F17]]'),
  kept(2, '[[fault=F18:as=404]]'),
  kept(2, '[[fault=F18:as=503]]'),
  kept(2, '[[fault=F18:as=truncated]]'),
  kept(2, '[[fault=F18:as=html]]'),
  kept(2, '[[fault=F18:as=slow]]'),
  kept(1, '[[fault=F18:as=empty]]'),
  kept(1, '[[length=no]]'),
];

/** Synchronous calls for an image: quick, as the time of a killed one is believed for five minutes. */
export const SYNCHRONOUS_FAULTS: readonly [Fault, ...Fault[]] = [
  kept(10, '[[task-ms=700]]'),
  lost(1, '[[task-ms=700]] [[fault=F6]]'),
  kept(1, '[[task-ms=700]] [[fault=F16]]'),
  kept(1, '[[task-ms=700]] [[fault=F18:as=404]]'),
];

export const CHAT_FAULTS: readonly [Fault, ...Fault[]] = [
  kept(30, ''),
  kept(6, '[[chat-ms=5000]]'),
  kept(4, '[[reply-bytes=40000]]'),
  lost(4, '[[fault=F6]]'),
  lost(2, '[[fault=F4]]'),
  lost(1, '[[fault=F9:as=html,at=chat]]'),
  kept(2, '[[fault=F3:retry-after=1]]'),
  kept(3, '[[fault=F21:as=empty]]'),
  kept(2, '[[fault=F21:as=rix]]'),
  kept(1, '[[fault=F21:as=charset]]'),
  lost(3, '[[fault=F21:as=cut]]'),
  kept(3, '[[fault=F22:ms=3000]]'),
];
