import { collect, type Reply } from './answer.ts';
import { payloadOf } from './body.ts';
import { type ModelList, readModelList } from './catalogue/list.ts';
import { flagOf, spelled, valuesOf } from './catalogue/spelling.ts';
import { codeOf, lastValue, unwrap } from './envelope.ts';
import type { GrsaiError } from './errors.ts';
import { type Fields, isFields, textOf } from './json-values.ts';
import type { CallOptions } from './options.ts';
import { refusal } from './refusal.ts';
import type { Wire } from './wire.ts';

/** Whether upstream calls a model healthy; `error` is its text during maintenance. */
export interface ModelStatus {
  readonly model: string;
  readonly available: boolean;
  readonly error: string;
}

/** The data of a side call, out of its envelope; `code` may be missing (upstream.md §8). */
function dataOf(reply: Reply): Fields | undefined {
  const { code, fields } = unwrap(lastValue(reply.documents));
  return reply.status >= 300 || (code ?? 0) !== 0 ? undefined : fields;
}

/** Names that the amount has. */
const AMOUNTS = ['credits', 'credit', 'balance'];

/** An amount as upstream writes it: a number or a text, whole or not, below zero too. */
function amountOf(reply: Reply): number {
  const credits = valuesOf(spelled(dataOf(reply) ?? {}), AMOUNTS)[0];
  const text = typeof credits === 'string' ? credits.replace(/[\s,_]/g, '') : '';
  const amount = text === '' ? credits : Number(text);
  if (typeof amount !== 'number' || !Number.isFinite(amount)) throw queryRefusal(reply);
  return amount;
}

/**
 * Money (upstream.md §8). There are two numbers, and neither stands for the other: a key may have a quota of its own within the
 * account's credits, and a key without one has a quota of 0 however rich the account is.
 */
export class Account {
  readonly #wire: Wire;
  readonly #apiKey: string;

  constructor(wire: Wire, apiKey: string) {
    this.#wire = wire;
    this.#apiKey = apiKey;
  }

  /** The quota of this key: what it may still spend, or 0 for a key without a limit. May be a fraction. Throws a `GrsaiError`. */
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
    return amountOf(await collect(response, this.#wire.scrub));
  }

  /**
   * The credits of the account that the key belongs to. May be a fraction, or below zero. Upstream takes the key in the URL only: it
   * stays out of logs and errors here, but a proxy in between may write it down. Throws a `GrsaiError`.
   */
  async accountCredits({ signal }: CallOptions = {}): Promise<number> {
    const { response } = await this.#wire.transport.send({
      method: 'GET',
      path: `/client/common/getCredits?apikey=${encodeURIComponent(this.#apiKey)}`,
      pace: 'query',
      paid: false,
      repeatable: true,
      anonymous: true,
      signal,
    });
    return amountOf(await collect(response, this.#wire.scrub));
  }
}

/** A question about models. */
export interface ModelListOptions extends CallOptions {
  /** Only this address is asked; without it, the nodes in their order. */
  readonly base?: string | undefined;
}

/** Health and prices of models (upstream.md §8, §16.1); names come and go without notice (upstream.md §12 T16). */
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
    const available = flagOf(data?.['status']);
    if (available === undefined) throw queryRefusal(reply);
    return { model, available, error: textOf(data?.['error']) };
  }

  /**
   * Upstream's public list of models with their prices and states; no key is sent. It always has models: a list without a readable
   * one is an error. Throws a `GrsaiError`.
   */
  async list({ base, signal }: ModelListOptions = {}): Promise<ModelList> {
    const { response } = await this.#wire.transport.send({
      method: 'POST',
      path: '/client/serverGrsai/getModelListV2',
      payload: payloadOf('{}'),
      pace: 'query',
      paid: false,
      repeatable: true,
      anonymous: true,
      base,
      signal,
    });
    const reply = await collect(response, this.#wire.scrub);
    const value = lastValue(reply.documents);
    const refused = reply.status >= 300 || (isFields(value) && (codeOf(value['code']) ?? 0) < 0);
    const list = refused ? undefined : readModelList(value);
    if (list === undefined || list.models.length === 0) throw queryRefusal(reply);
    return list;
  }
}

const queryRefusal = (reply: Reply): GrsaiError => refusal(reply, { query: true });
