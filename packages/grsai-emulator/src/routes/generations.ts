import { tokensIn } from '../chat-text.ts';
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

/** Tokens of one picture of about 1K, given or made. */
const PICTURE_TOKENS = 1056;

function usageOf(prompt: string, given: number, made: number): object {
  const [text, image, output] = [tokensIn(prompt), given * PICTURE_TOKENS, made * PICTURE_TOKENS];
  return {
    total_tokens: text + image + output,
    input_tokens: text + image,
    output_tokens: output,
    input_tokens_details: { text_tokens: text, image_tokens: image },
  };
}

/** `POST /v1/images/generations` (upstream.md §6.2): held until the picture is there, no id to ask after, always an address. */
export async function generations(x: Exchange, world: World): Promise<void> {
  const fields = await readFields(x, world, OPENAI);
  if (fields === undefined) return;
  const started = await startImage(x, world, {
    kind: 'generations',
    mode: 'synchronous',
    fields: {
      model: String(fields['model'] ?? ''),
      prompt: fields['prompt'],
      images: fields['image'],
      // `size` and `response_format` are read by nobody.
      ratio: undefined,
      imageSize: undefined,
      quality: undefined,
      background: undefined,
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
    usage: usageOf(
      String(fields['prompt'] ?? ''),
      Array.isArray(fields['image']) ? fields['image'].length : 0,
      task.files.length,
    ),
  });
}
