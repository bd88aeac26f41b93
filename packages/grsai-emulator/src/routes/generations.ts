import type { Exchange } from '../exchange.ts';
import { carried } from '../fault-plan.ts';
import { startImage } from '../image-call.ts';
import { IMAGE_MODELS } from '../models.ts';
import { readFields } from '../paid.ts';
import { resultsOf } from '../shapes.ts';
import { look } from '../tasks.ts';
import { sendJson } from '../transport.ts';
import type { World } from '../world.ts';
import { OPENAI } from './chat.ts';

/** `POST /v1/images/generations` (grsai-api §6.2): held until the picture is there, no id to ask after. */
export async function generations(x: Exchange, world: World): Promise<void> {
  const fields = await readFields(x, world, OPENAI);
  if (fields === undefined) return;
  const started = await startImage(x, world, {
    kind: 'generations',
    mode: 'held',
    fields: {
      model: String(fields['model'] ?? ''),
      prompt: fields['prompt'],
      images: fields['image'],
      ratio: fields['size'],
      imageSize: undefined,
      quality: undefined,
    },
    dialect: OPENAI,
    takes: (model) => !Object.hasOwn(IMAGE_MODELS, model) || IMAGE_MODELS[model]?.shape !== 'words',
    complaint: undefined,
    count: 1,
  });
  if (started === undefined) return;
  const { task, admitted } = started;
  await world.tasks.wait(task, Number.POSITIVE_INFINITY, x.closed);
  if (x.closed.aborted) return;
  if (look(task, world.clock.now()).status !== 'succeeded') return OPENAI.refuse(x, task.error);
  await sendJson(x, world, admitted.now, 200, {
    created: Math.floor(world.clock.now() / 1000),
    data: resultsOf(world, task, carried(task, 'poll', admitted.now))['results'],
    usage: { total_tokens: 0, input_tokens: 0, output_tokens: 0, input_tokens_details: {} },
  });
}
