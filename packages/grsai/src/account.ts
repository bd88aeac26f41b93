import { collect, type Reply } from './answer.ts';
import { payloadOf } from './body.ts';
import { type Fields, isFields, lastValue, textOf } from './envelope.ts';
import type { GrsaiError } from './errors.ts';
import type { CallOptions } from './options.ts';
import { refusal } from './refusal.ts';
import type { Wire } from './wire.ts';

/** Whether upstream calls a model healthy; `error` is its text during maintenance. */
export interface ModelStatus {
  readonly model: string;
  readonly available: boolean;
  readonly error: string;
}

/** The data of a side call's `{code, data}`; `code` may be missing (grsai-api §8). */
function dataOf(reply: Reply): Fields | undefined {
  const value = lastValue(reply.documents);
  if (reply.status >= 300 || !isFields(value) || (value['code'] ?? 0) !== 0) return undefined;
  return isFields(value['data']) ? value['data'] : value;
}

/** Money of the key (grsai-api §8). */
export class Account {
  readonly #wire: Wire;
  readonly #apiKey: string;

  constructor(wire: Wire, apiKey: string) {
    this.#wire = wire;
    this.#apiKey = apiKey;
  }

  /** Credits that this key may spend. The key goes in the body, never in a URL. Throws a `GrsaiError`. */
  async credits({ signal }: CallOptions = {}): Promise<number> {
    const { response } = await this.#wire.transport.send({
      method: 'POST',
      path: '/client/openapi/getAPIKeyCredits',
      payload: payloadOf(JSON.stringify({ apiKey: this.#apiKey })),
      pace: 'query',
      paid: false,
      repeatable: true,
      anonymous: true,
      signal,
    });
    const reply = await collect(response, this.#wire.scrub);
    const credits = dataOf(reply)?.['credits'];
    const amount = typeof credits === 'string' && credits.trim() !== '' ? Number(credits) : credits;
    if (typeof amount !== 'number' || !Number.isFinite(amount)) throw queryRefusal(reply);
    return amount;
  }
}

/** Health of models (grsai-api §8); names come and go without notice (grsai-api §12 T16). */
export class Models {
  readonly #wire: Wire;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** Whether the model works now, by upstream's own word. Throws a `GrsaiError`. */
  async status(model: string, { signal }: CallOptions = {}): Promise<ModelStatus> {
    const { response } = await this.#wire.transport.send({
      method: 'GET',
      path: `/client/common/getModelStatus?model=${encodeURIComponent(model)}`,
      pace: 'query',
      paid: false,
      repeatable: true,
      anonymous: true,
      signal,
    });
    const reply = await collect(response, this.#wire.scrub);
    const data = dataOf(reply);
    if (typeof data?.['status'] !== 'boolean') throw queryRefusal(reply);
    return { model, available: data['status'], error: textOf(data['error']) };
  }
}

const queryRefusal = (reply: Reply): GrsaiError => refusal(reply, { query: true });
