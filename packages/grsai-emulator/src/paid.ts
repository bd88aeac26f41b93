import { AskError } from './ask-error.ts';
import { Directives, withoutDirectives } from './directives.ts';
import type { Exchange } from './exchange.ts';
import { BodyTooLarge } from './exchange.ts';
import type { Fault, Strikes } from './faults.ts';
import { type KeyProblem, keyProblem, quotaLeft } from './keys.ts';
import { KEPT_PROMPT, type Submit, type SubmitKind, type SubmitOutcome } from './ledger.ts';
import type { ModelState } from './models.ts';
import { upstreamId } from './random.ts';
import { retryAfterText } from './retry-after.ts';
import { ECHOES, type Echo, echoed } from './texts.ts';
import { refusalOf, strikeBefore, strikeCoding, strikesBefore, tooLarge, tooMany } from './transport.ts';
import type { World } from './world.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** How a dialect says no. */
export interface Dialect {
  /** `status` over the one that the dialect has for a no. */
  readonly refuse: (x: Exchange, error: string, status?: number) => void;
  readonly badKey: (x: Exchange) => void;
  readonly malformed: (x: Exchange) => void;
}

/** A paid call, read but not judged. */
export interface Order {
  readonly kind: SubmitKind;
  readonly model: string;
  readonly prompt: string;
  readonly cost: number;
  /** Undefined: nobody knows the model. */
  readonly modelState: ModelState | undefined;
  /** What the service calls a model that it does not know. */
  readonly unknownModel: string;
  /** A refusal that the input calls for. */
  readonly complaint: string | undefined;
}

/** An accepted and charged call. */
export interface Admitted {
  /** Names what was made: the id of the task or completion. */
  readonly id: string;
  readonly n: number;
  readonly submit: Submit;
  readonly directives: Directives;
  readonly now: Strikes;
  readonly later: readonly Fault[];
}

/** Reads a JSON object from the body; undefined when the request has been answered already. */
export async function readFields(x: Exchange, world: World, dialect: Pick<Dialect, 'malformed'>): Promise<Fields | undefined> {
  await world.clock.wait(world.settings.uploadStallMs, x.closed);
  try {
    const value: unknown = JSON.parse((await x.body(world.settings.bodyLimit)).toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch (error) {
    if (error instanceof BodyTooLarge) {
      tooLarge(x);
      return undefined;
    }
    if (!(error instanceof SyntaxError)) throw error;
  }
  dialect.malformed(x);
  return undefined;
}

/**
 * Judges a paid call in the order that the service is thought to keep: front proxy, key, limits, input, model, money.
 * Whatever comes of it stands in the ledger. Undefined when the call has been answered; else the caller publishes the
 * `submit`, once what it paid for exists.
 */
export async function admit(x: Exchange, world: World, order: Order, dialect: Dialect): Promise<Admitted | undefined> {
  const directives = new Directives(order.prompt, x.request.headers);
  await world.clock.wait(directives.number('delay-ms') ?? 0, x.closed);
  if (x.closed.aborted) return undefined;
  const phase = order.kind === 'chat' ? 'chat' : 'submit';
  const { now, later } = world.plan.plan({ phase, node: x.node, model: order.model, prompt: order.prompt, directives });

  strikeCoding(x, now);

  const record = (outcome: SubmitOutcome, error: string, charged = 0, taskId?: string): Submit =>
    enter(x, world, order, { outcome, error, charged, taskId });
  const echo = echoOf(directives, world);
  const said = { model: order.model, prompt: withoutDirectives(order.prompt) };
  /** A no goes into the books, and out with the words of the caller if that is asked for. */
  const refuse = (outcome: SubmitOutcome, error: string, answer: (text: string) => void): undefined => {
    world.bus.emit('submit', record(outcome, error));
    answer(echoed(error, echo, said));
    return undefined;
  };

  if (strikesBefore(now)) {
    world.bus.emit('submit', record('fault', 'a fault of the front proxy'));
    await strikeBefore(x, world, now);
    return undefined;
  }
  const badKey = KEY_FAULTS[now.as('F1') ?? ''] ?? keyProblem(x.key, world);
  if (badKey !== undefined)
    return refuse('bad_key', badKey, (text) =>
      badKey === 'apikey error' && echo === 'none' ? dialect.badKey(x) : dialect.refuse(x, text),
    );
  if (!world.limiter.take(world.clock.now(), world.tasks.running, world.settings.limits)) {
    const { retryAfterS, retryAfterAs } = world.settings;
    const header = retryAfterText(retryAfterS > 0 ? String(retryAfterS) : '', retryAfterAs, world.clock.now());
    return refuse('rate_limited', 'too many requests', () => tooMany(x, header));
  }
  const refusal = refusalOf(now);
  if (refusal !== undefined)
    // 400 is what stands for "the usual": the legacy dialect says no with 200.
    return refuse('refused', refusal.text, (text) =>
      dialect.refuse(x, text, refusal.status === 400 ? undefined : refusal.status),
    );
  const complaint = order.complaint ?? modelComplaint(order, now, world);
  // An envelope on the current API wraps its refusals too.
  const sayNo = now.has('F14') && order.kind !== 'draw' ? refuseInEnvelope : dialect.refuse;
  if (complaint !== undefined) return refuse('refused', complaint, (text) => sayNo(x, text));
  const overQuota = quotaLeft(x.key, world) < order.cost;
  const poor = order.kind === 'draw' || overQuota ? 'apikey credits not enough' : 'insufficient credits';
  if (now.has('F2') || overQuota || !world.ledger.take(x.node, order.cost, x.key))
    return refuse('no_credits', poor, (text) => dialect.refuse(x, text));

  const n = world.next();
  const id = upstreamId(world.seed, 'task', n);
  return { id, n, submit: record('accepted', '', order.cost, order.kind === 'chat' ? undefined : id), directives, now, later };
}

/** Takes more for a call that was charged in part; what the account does not have is not taken. */
export function chargeMore(x: Exchange, world: World, submit: Submit, credits: number): void {
  const taken = Math.min(credits, Math.max(0, world.ledger.balance(x.node)));
  if (world.ledger.take(x.node, taken, x.key)) submit.charged += taken;
}

/** Holds back the answer of work that is done and charged, as the directives say. */
export async function holdAnswer(x: Exchange, world: World, directives: Directives): Promise<void> {
  await world.clock.wait(directives.number('hold-ack-ms') ?? 0, x.closed);
  const gate = directives.text('hold-ack');
  if (gate !== undefined) await world.gates.wait(gate, x.closed);
}

/** Does a refusal of this call, or the failure of its task, repeat what the caller sent? */
export function echoOf(directives: Directives, world: World): Echo {
  const asked = directives.text('echo') ?? world.settings.echo;
  const echo = ECHOES.find((known) => known === asked);
  if (echo === undefined) throw new AskError(`directive echo is one of ${ECHOES.join(', ')}`);
  return echo;
}

/** What F1 says of a key. */
const KEY_FAULTS: Readonly<Record<string, KeyProblem>> = {
  error: 'apikey error',
  empty: 'apikey is empty',
  'not-found': 'apikey not found',
  expired: 'apikey expired',
};

const refuseInEnvelope: Dialect['refuse'] = (x, error) => x.json(200, { code: -1, msg: error, data: null });

function modelComplaint(order: Order, now: Strikes, world: World): string | undefined {
  const fault = now.as('F20');
  if (fault === 'refused') return now.text('F20', 'text');
  const state =
    fault ?? (Object.hasOwn(world.settings.models, order.model) ? world.settings.models[order.model] : order.modelState);
  if (state === 'live') return undefined;
  return state === 'maintenance' ? 'model maintenance' : order.unknownModel;
}

function enter(
  x: Exchange,
  world: World,
  order: Order,
  verdict: { outcome: SubmitOutcome; error: string; charged: number; taskId: string | undefined },
): Submit {
  const submit: Submit = {
    n: world.ledger.submits.length + 1,
    at: world.clock.now(),
    node: x.node,
    kind: order.kind,
    model: order.model,
    prompt: order.prompt.slice(0, KEPT_PROMPT),
    key: x.key,
    ...verdict,
    refunded: 0,
    answered: false,
  };
  world.ledger.submits.push(submit);
  x.onWhole(() => {
    submit.answered = true;
  });
  return submit;
}
