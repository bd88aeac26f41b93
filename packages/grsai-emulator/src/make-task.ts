import { AskError } from './ask-error.ts';
import { type Directives, withoutDirectives } from './directives.ts';
import type { Exchange } from './exchange.ts';
import type { SubmitKind } from './ledger.ts';
import { type Admitted, echoOf } from './paid.ts';
import type { Format } from './picture/render.ts';
import { drawSpan, hex32, unit } from './random.ts';
import { fitInto, type Pixels, readPixels } from './sizes.ts';
import type { Mode, Outcome, Task } from './tasks.ts';
import { echoed, textOf } from './texts.ts';
import type { World } from './world.ts';

/** What the route knows of the task that it makes. */
export interface Wish {
  readonly kind: SubmitKind;
  readonly mode: Mode;
  readonly model: string;
  readonly prompt: string;
  readonly size: Pixels;
  readonly impossible: boolean;
  readonly video: boolean;
  /** How many result files. */
  readonly count: number;
}

/** An input violation is found so soon, ms. */
const QUICK_MS = 500;

/** Makes the task of an admitted call, with its end and its files decided. */
export function makeTask(x: Exchange, world: World, admitted: Admitted, wish: Wish): Task {
  const { directives, later, now: strikes } = admitted;
  const createdAt = world.clock.now();
  const plannedMs = directives.number('task-ms') ?? drawSpan(world.settings.taskMs, unit(world.seed, 'task-ms', admitted.n));
  const { outcome, error: reason } = decide(admitted, wish, world);
  const said = { model: wish.model, prompt: withoutDirectives(wish.prompt) };
  const error = reason === '' ? '' : echoed(reason, echoOf(directives, world), said);
  const forever =
    later.some((fault) => fault.id === 'F10' && fault.params['as'] === 'forever') ||
    (wish.impossible && world.settings.badSize === 'stall');
  const quick = strikes.as('F17') === 'input';
  const runMs = quick ? Math.min(plannedMs, QUICK_MS) : plannedMs;
  const packing = packingOf(world, admitted, wish.video);
  const files = Array.from(
    { length: countOf(directives) ?? wish.count },
    (_, i) => `${hex32(world.seed, 'file', admitted.id, i)}.${packing.extension}`,
  );
  const task = world.tasks.add({
    id: admitted.id,
    node: x.node,
    kind: wish.kind,
    mode: wish.mode,
    key: x.key,
    model: wish.model,
    prompt: wish.prompt,
    createdAt,
    plannedMs,
    charged: admitted.submit.charged,
    files,
    content: directives.text('content'),
    moderation: quick ? 'input_moderation' : 'output_moderation',
    endAt: forever ? Number.POSITIVE_INFINITY : createdAt + runMs,
    outcome,
    error,
    faults: later,
  });
  const asked = directives.text('size');
  const size = asked === undefined ? fitInto(wish.size, world.settings.imageEdge) : wantPixels(asked);
  for (const name of files) {
    world.files.add({
      name,
      rendering: {
        format: packing.format,
        ...size,
        text: `${world.seed} ${wish.prompt} ${name}`,
        bytes: directives.number('bytes'),
      },
      bornAt: () => (task.outcome === 'succeeded' ? task.endAt : Number.POSITIVE_INFINITY),
      diesAt: createdAt + world.settings.lifeMs,
      lengthless: directives.text('length') === 'no',
      faults: later,
      struck: new Map(),
      downloads: 0,
    });
  }
  return task;
}

function decide({ directives, now }: Admitted, wish: Wish, world: World): { readonly outcome: Outcome; readonly error: string } {
  const asText = directives.text('error');
  const text = asText === undefined ? undefined : textOf(asText);
  const asked = directives.text('outcome');
  if (now.has('F17') || asked === 'violation')
    return { outcome: 'violation', error: text ?? 'prompt rejected by content policy' };
  if (now.has('F16')) return { outcome: 'failed', error: now.text('F16', 'text') ?? '' };
  if (asked === 'failed' || (wish.impossible && world.settings.badSize === 'fail'))
    return { outcome: 'failed', error: text ?? 'generate failed' };
  if (asked !== undefined && asked !== 'succeeded') throw new AskError(`directive outcome cannot be ${asked}`);
  return { outcome: 'succeeded', error: '' };
}

interface Packing {
  readonly format: Format;
  readonly extension: string;
}

const PACKINGS: Readonly<Record<string, Packing>> = {
  png: { format: 'png', extension: 'png' },
  jpeg: { format: 'jpeg', extension: 'jpg' },
  'jpeg-named-png': { format: 'jpeg', extension: 'png' },
};

const MOST_OUTPUTS = 10;

/** How many files the directive asks for. */
function countOf(directives: Directives): number | undefined {
  const asked = directives.number('outputs');
  if (asked === undefined) return undefined;
  if (!Number.isInteger(asked) || asked < 1 || asked > MOST_OUTPUTS)
    throw new AskError(`directive outputs is 1 to ${MOST_OUTPUTS}`);
  return asked;
}

function packingOf(world: World, { directives, n }: Admitted, video: boolean): Packing {
  if (video) return { format: 'mp4', extension: 'mp4' };
  const asked = directives.text('format') ?? world.settings.format;
  const names = Object.keys(PACKINGS);
  const name = asked === 'mixed' ? names[Math.floor(unit(world.seed, 'format', n) * names.length)] : asked;
  const packing = PACKINGS[name ?? ''];
  if (packing === undefined) throw new AskError(`directive format cannot be ${asked}`);
  return packing;
}

function wantPixels(text: string): Pixels {
  const pixels = readPixels(text);
  if (pixels === undefined) throw new AskError(`directive size cannot be ${text}`);
  return pixels;
}
