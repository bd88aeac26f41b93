import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRandom } from '../random.ts';
import type { Life, LifeOptions } from './live.ts';
import { NO_ODDITIES } from './oddities.ts';
import { NO_MIX } from './orders.ts';
import { type Plan, planOf } from './plan.ts';

/** A life that has broken a promise once, as it stands in a file. */
export interface KeptStory {
  /** What was broken. */
  readonly broke: string;
  readonly plan: Plan;
  /** What of its world is no part of the plan. */
  readonly world?: Pick<LifeOptions, 'failovers' | 'durability'>;
}

const KEPT = fileURLToPath(new URL('../../stories', import.meta.url));
const FOUND = fileURLToPath(new URL('../../../.data/simulation', import.meta.url));

/** All that are kept, by their names. `npm test` lives each. */
export const keptStories = (dir = KEPT): [name: string, story: KeptStory][] =>
  readdirSync(dir)
    .filter((file) => file.endsWith('.json'))
    .map((file) => [file.slice(0, -'.json'.length), readStory(join(dir, file))]);

/** A plan as it was when it was written. */
interface WrittenPlan extends Partial<Omit<Plan, 'mix' | 'oddities'>> {
  readonly mix?: Partial<Plan['mix']>;
  readonly oddities?: Partial<Plan['oddities']>;
}

/** What plans have gained since a story was written does not happen in it. Throws where the file is no story. */
export function readStory(file: string): KeptStory {
  const { plan, ...story } = JSON.parse(readFileSync(file, 'utf8')) as Omit<KeptStory, 'plan'> & { plan?: WrittenPlan };
  if (plan?.seed === undefined || story.broke === undefined)
    throw new Error(`${file} is no story: it has to say what it broke, and its plan.`);
  const calm = { ...planOf(plan.seed, createRandom(plan.seed), { calm: true }), retries: 0, resends: 0, deletes: 0, unlike: 0 };
  return {
    ...story,
    plan: { ...calm, ...plan, mix: { ...NO_MIX, ...plan.mix }, oddities: { ...NO_ODDITIES, ...plan.oddities } },
  };
}

/** Writes a life that broke a promise to a file, and answers where: from there it can be kept. */
export function writeStory({ plan, violations }: Life, world?: KeptStory['world'], dir = FOUND): string {
  const [first] = violations;
  const story: KeptStory = { broke: `${first?.about} ${first?.what}`, plan, ...(world ? { world } : {}) };
  const file = join(dir, `${plan.seed}.json`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(story, null, 2)}\n`);
  return file;
}
