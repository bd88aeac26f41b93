import { Directives } from '../directives.ts';
import type { Exchange } from '../exchange.ts';
import type { Strikes } from '../faults.ts';
import { keyProblem, tellAmount, tellQuota } from '../keys.ts';
import { CHAT_MODELS, IMAGE_MODELS, LEGACY_MODELS, type ModelState } from '../models.ts';
import { readFields } from '../paid.ts';
import { hex32 } from '../random.ts';
import { refusalOf, strikeAfter, strikeBefore, strikeCoding } from '../transport.ts';
import type { World } from '../world.ts';

/** The calls of upstream.md §8. Their key stands in the body or the query, not in a header. */

const refuse = (x: Exchange, msg: string): void => x.json(200, { code: -1, msg, data: null });
const malformed = (x: Exchange): void => x.json(200, { code: -4, msg: 'unexpected end of JSON input', data: null });

/** Faults of the side calls. True when the request is dealt with. */
export async function struck(x: Exchange, world: World): Promise<boolean> {
  const { now }: { now: Strikes } = world.plan.plan({
    phase: 'side',
    node: x.node,
    directives: new Directives('', x.request.headers),
  });
  strikeCoding(x, now);
  const refusal = refusalOf(now);
  if (refusal !== undefined) {
    x.json(refusal.status, { code: -1, msg: refusal.text, data: null });
    return true;
  }
  return (await strikeBefore(x, world, now)) || (await strikeAfter(x, world, now));
}

/** `POST /client/openapi/getAPIKeyCredits {apiKey}`: the quota of the key. */
export async function keyCredits(x: Exchange, world: World): Promise<void> {
  const fields = await readFields(x, world, { malformed });
  if (fields === undefined || (await struck(x, world))) return;
  const key = String(fields['apiKey'] ?? '');
  const problem = keyProblem(key, world);
  if (problem !== undefined) return refuse(x, problem);
  x.json(200, { code: 0, msg: 'success', data: tellQuota(key, x.node, world) });
}

/** `GET /client/common/getCredits?apikey=`: the money of the account. */
export async function creditsByQuery(x: Exchange, world: World): Promise<void> {
  if (await struck(x, world)) return;
  const problem = keyProblem(x.url.searchParams.get('apikey') ?? '', world);
  if (problem !== undefined) return refuse(x, problem);
  x.json(200, { code: 0, data: { credits: tellAmount(world.ledger.balance(x.node), world) } });
}

/** `POST /client/openapi/getCredits {token}`: any token is taken, none is a caller who is not signed in. */
export async function accountCredits(x: Exchange, world: World): Promise<void> {
  const fields = await readFields(x, world, { malformed });
  if (fields === undefined || (await struck(x, world))) return;
  if (String(fields['token'] ?? '') === '') return x.json(200, { code: -10_000, msg: 'not signed in', data: null });
  x.json(200, { code: 0, msg: 'success', data: { credits: tellAmount(world.ledger.balance(x.node), world) } });
}

const stateOf = (name: string, world: World): ModelState | undefined => {
  for (const table of [world.settings.models, CHAT_MODELS] as const) if (Object.hasOwn(table, name)) return table[name];
  for (const table of [IMAGE_MODELS, LEGACY_MODELS] as const) if (Object.hasOwn(table, name)) return table[name]?.state;
  return undefined;
};

/** `GET /client/common/getModelStatus?model=`. */
export async function modelStatus(x: Exchange, world: World): Promise<void> {
  if (await struck(x, world)) return;
  const state = stateOf(x.url.searchParams.get('model') ?? '', world);
  const errors: Readonly<Record<string, string>> = { live: '', maintenance: 'model maintenance' };
  x.json(200, { code: 0, data: { status: state === 'live', error: errors[state ?? ''] ?? 'model not found' } });
}

/** `POST /client/resource/newUploadTokenZH {sux}`: a ticket; nothing can be uploaded with it. */
export async function uploadTicket(x: Exchange, world: World): Promise<void> {
  const fields = await readFields(x, world, { malformed });
  if (fields === undefined || (await struck(x, world))) return;
  const problem = keyProblem(x.key, world);
  if (problem !== undefined) return refuse(x, problem);
  const name = hex32(world.seed, 'upload', world.next());
  const url = world.nodeUrl(x.node);
  x.json(200, {
    code: 0,
    data: { token: name, key: `upload/${name}.${String(fields['sux'] ?? 'png')}`, url: `${url}/upload`, domain: url },
  });
}
