import type { Exchange } from '../exchange.ts';
import { startImage } from '../image-call.ts';
import { INVALID } from '../order.ts';
import { type Dialect, type Fields, readFields } from '../paid.ts';
import type { Handler } from '../server.ts';
import { envelope, legacyShape } from '../shapes.ts';
import { EVERY_STEP, ONLY_THE_END, streamTask } from '../task-stream.ts';
import { refusalOf, sendJson, strikeAfter, strikeBefore } from '../transport.ts';
import { startHook } from '../webhook.ts';
import type { World } from '../world.ts';
import { pollStrikes, visibleTask } from './result.ts';

const say = (code: number, msg: string): object => ({ code, msg, data: null });
const refuse: Dialect['refuse'] = (x, error, status = 200) => x.json(status, say(-1, error));

/** The legacy dialect says no with HTTP 200 and a code (upstream.md §5.4). */
const LEGACY: Dialect = {
  refuse,
  badKey: (x) => refuse(x, 'apikey error'),
  malformed: (x) => x.json(200, say(-4, 'unexpected end of JSON input')),
};

const MOST_VARIANTS = 2;

/** `POST /v1/draw/nano-banana`, `/completions` and `/flux` (upstream.md §5.1); `models` says which the endpoint takes. */
export function draw(models: RegExp): Handler {
  return async (x, world) => {
    const fields = await readFields(x, world, LEGACY);
    if (fields === undefined) return;
    const webHook = fields['webHook'];
    const quiet = fields['shutProgress'] === true;
    const started = await startImage(x, world, {
      kind: 'draw',
      mode: 'draw',
      fields: {
        model: String(fields['model'] ?? ''),
        prompt: fields['prompt'],
        images: fields['urls'],
        ratio: fields['aspectRatio'] ?? fields['size'],
        imageSize: fields['imageSize'],
        quality: fields['quality'],
        background: undefined,
      },
      dialect: LEGACY,
      takes: (model) => models.test(model),
      complaint: webHook === undefined || webHook === '-1' || isHttp(webHook) ? undefined : INVALID,
      count: countOf(fields),
      onTask: async (task) => {
        if (isHttp(webHook)) await startHook(world, task, { url: webHook, progress: !quiet });
      },
    });
    if (started === undefined) return;
    const { task, admitted } = started;
    if (webHook === undefined) {
      const steps = quiet ? ONLY_THE_END : EVERY_STEP;
      return streamTask(x, world, task, (strikes) => legacyShape(world, task, strikes), {
        done: world.settings.taskStreamDone,
        steps,
      });
    }
    const ack = { id: task.id };
    await sendJson(x, world, admitted.now, 200, admitted.now.has('F14') ? ack : envelope(ack));
  };
}

const isHttp = (value: unknown): value is string => typeof value === 'string' && /^https?:\/\//.test(value);

const countOf = (fields: Fields): number =>
  Math.min(MOST_VARIANTS, Math.max(1, Math.floor(Number(fields['variants'] ?? 1)) || 1));

/** `POST /v1/draw/result {id}` (upstream.md §5.4). The text beside -22 is ours. */
export async function drawResult(x: Exchange, world: World): Promise<void> {
  const fields = await readFields(x, world, LEGACY);
  if (fields === undefined) return;
  const found = world.tasks.get(String(fields['id'] ?? ''));
  const strikes = pollStrikes(x, world, found);
  if (await strikeBefore(x, world, strikes)) return;
  const refusal = refusalOf(strikes);
  if (refusal !== undefined) return refuse(x, refusal.text, refusal.status === 400 ? undefined : refusal.status);
  const task = visibleTask(x, world, found, strikes);
  if (await strikeAfter(x, world, strikes)) return;
  if (task?.mode !== 'draw') return sendJson(x, world, strikes, 200, say(-22, 'task not exist'));
  const shape = legacyShape(world, task, strikes);
  await sendJson(x, world, strikes, 200, strikes.has('F14') ? shape : envelope(shape));
}
