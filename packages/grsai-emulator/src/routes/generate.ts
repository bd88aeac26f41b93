import type { Exchange } from '../exchange.ts';
import { carried } from '../fault-plan.ts';
import type { Strikes } from '../faults.ts';
import { startImage } from '../image-call.ts';
import { IMAGE_MODELS } from '../models.ts';
import { INVALID, videoComplaint } from '../order.ts';
import { type Dialect, type Fields, readFields } from '../paid.ts';
import { videoPrice } from '../prices.ts';
import { currentShape, envelope } from '../shapes.ts';
import { EVERY_STEP, streamTask } from '../task-stream.ts';
import type { Task } from '../tasks.ts';
import { sendJson } from '../transport.ts';
import type { World } from '../world.ts';

type ReplyType = 'json' | 'stream' | 'async';

const refuse: Dialect['refuse'] = (x, error, status = 400) => x.json(status, { id: '', status: 'failed', error });

/** A bad key in async mode was seen as 200 without a byte (upstream.md §3.3). */
const dialectOf = (reply: ReplyType): Dialect => ({
  refuse,
  badKey: (x) => (reply === 'async' ? x.send(200, 'application/json', '') : refuse(x, 'apikey error')),
  malformed: (x) => refuse(x, INVALID),
});

/** `POST /v1/api/generate` (upstream.md §3). */
export async function generate(x: Exchange, world: World): Promise<void> {
  const fields = await readFields(x, world, dialectOf('json'));
  if (fields === undefined) return;
  const reply = replyTypeOf(fields, world);
  const model = String(fields['model'] ?? '');
  const video = Object.hasOwn(IMAGE_MODELS, model) && IMAGE_MODELS[model]?.shape === 'words';
  const started = await startImage(x, world, {
    kind: 'image',
    mode: reply === 'async' ? 'async' : 'synchronous',
    fields: {
      model,
      prompt: fields['prompt'],
      images: fields['images'],
      ratio: fields['aspectRatio'],
      imageSize: fields['imageSize'],
      quality: fields['quality'],
      background: fields['background'],
    },
    dialect: dialectOf(reply),
    takes: () => true,
    complaint: video ? videoComplaint(fields) : undefined,
    ...(video ? { price: videoPrice(fields) } : {}),
    count: 1,
  });
  if (started === undefined) return;
  const { task, admitted } = started;
  switch (reply) {
    case 'async': {
      const ack = { id: task.id, status: 'running' };
      return sendJson(x, world, admitted.now, 200, admitted.now.has('F14') ? envelope(ack) : ack);
    }
    case 'json':
      return answerAtTheEnd(x, world, task, admitted.now);
    case 'stream':
      return streamTask(x, world, task, (strikes) => currentShape(world, task, strikes).body, {
        steps: EVERY_STEP,
        done: world.settings.taskStreamDone,
      });
  }
}

async function answerAtTheEnd(x: Exchange, world: World, task: Task, strikes: Strikes): Promise<void> {
  await world.tasks.wait(task, Number.POSITIVE_INFINITY, x.closed);
  if (x.closed.aborted) return;
  const { status, body } = currentShape(world, task, carried(task, 'poll', strikes));
  await sendJson(x, world, strikes, status, body);
}

/** An unknown word counts as missing. */
function replyTypeOf(fields: Fields, world: World): ReplyType {
  const asked = fields['replyType'];
  return asked === 'json' || asked === 'stream' || asked === 'async' ? asked : world.settings.replyTypeDefault;
}
