import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createRandom } from '../src/random.ts';
import { heldIn } from '../src/world/failover-lives.ts';
import { keptStories, readStory, writeStory } from '../src/world/kept-stories.ts';
import { live } from '../src/world/live.ts';
import { planOf } from '../src/world/plan.ts';
import { timelineOf } from '../src/world/timeline.ts';

test.each(keptStories())('when %s is lived again then no promise is broken', async (_name, { plan, world }) => {
  const options = { ...world, ...heldIn(world) };
  const life = await live(plan, options);
  expect(life.violations.length === 0 ? '' : timelineOf(await live(plan, { ...options, tells: true }))).toBe('');
});

function directory(): string {
  const dir = mkdtempSync(join(tmpdir(), 'stories-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

test('when a life breaks a promise then its file has the same life again', async () => {
  const dir = directory();
  const plan = planOf('kept', createRandom('kept').fork('plan'), { jobs: 20, smooth: true });
  const spoiled = await live(plan, { atEnd: async (world) => world.violation('was spoiled', 'order-1') });
  const file = writeStory(spoiled, { durability: 'replica' }, dir);
  expect(readStory(file)).toEqual({ broke: 'order-1 was spoiled', plan, world: { durability: 'replica' } });
  expect(keptStories(dir).map(([name]) => name)).toEqual(['kept']);
});

test('when plans have gained something since a story was written then it does not happen in it', () => {
  const file = join(directory(), 'old.json');
  const { deletes: _, mix, ...old } = planOf('old', createRandom('old').fork('plan'));
  const { large: __, fallbacks: ___, ...oldMix } = mix;
  writeFileSync(file, JSON.stringify({ broke: 'something', plan: { ...old, mix: oldMix } }));
  expect(readStory(file).plan).toEqual({ ...old, deletes: 0, mix: { ...oldMix, large: 0, fallbacks: 0 } });
});

test('when a file is no story then the sentence names it', () => {
  const file = join(directory(), 'none.json');
  writeFileSync(file, '{"plan": {}}');
  expect(() => readStory(file)).toThrow(`${file} is no story`);
});
