import { type Emulator, startEmulator } from '@grsai-jobs/grsai-emulator';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CHAT_MODELS, IMAGE_MODELS, VIDEO_MODEL, validateImageTask } from '../src/models/index.ts';
import facts from './model-facts.json' with { type: 'json' };

/**
 * The facts about models stand once as data. Client and emulator each have a table of their own, as neither may copy the
 * other's mistakes; here both are asked about every row, by what they do.
 */

const FIELDS = { aspectRatio: 'aspectRatio', imageSize: 'imageSize', quality: 'quality', background: 'background' } as const;
type Field = keyof typeof FIELDS;

interface Probe {
  readonly model: string;
  readonly field: Field;
  readonly value: string;
  /** Does the model take it? `ignored`: it has no such field, so upstream takes no notice, and the client says so. */
  readonly taken: boolean | 'ignored';
}

const every = (lists: readonly (readonly string[] | null)[]): readonly string[] => [
  ...new Set(lists.flatMap((list) => list ?? [])),
];
const rows = Object.entries(facts.images);
const RATIOS = every(Object.values(facts.ratioLists));
const SIZES = every(rows.map(([, { sizes }]) => sizes));
const QUALITIES = every(rows.map(([, { qualities }]) => qualities));

const listProbes = (model: string, field: Field, all: readonly string[], list: readonly string[] | null): Probe[] =>
  all.map((value) => ({ model, field, value, taken: list === null ? 'ignored' : list.includes(value) }));

const PROBES: readonly Probe[] = rows.flatMap(([model, row]) => {
  const { takes, refuses } = facts.pixelRules[row.pixels as keyof typeof facts.pixelRules];
  const pixels = [...takes, ...refuses].map(
    (value): Probe => ({ model, field: 'aspectRatio', value, taken: takes.some((each) => each === value) }),
  );
  return [
    ...listProbes(model, 'aspectRatio', RATIOS, facts.ratioLists[row.ratios as keyof typeof facts.ratioLists]),
    ...pixels,
    ...listProbes(model, 'imageSize', SIZES, row.sizes),
    ...listProbes(model, 'quality', QUALITIES, row.qualities),
    { model, field: 'background', value: 'transparent', taken: row.transparent },
  ];
});

const describeProbe = ({ model, field, value }: Probe): string => `${model} ${field}=${value}`;

describe('the client', () => {
  test('takes and refuses what the facts say, for each model and value', () => {
    const wrong = PROBES.filter(({ model, field, value, taken }) => {
      const problems = validateImageTask({ model, prompt: 'x', [field]: value });
      return (problems.length === 0) !== (taken === true);
    });
    expect(wrong.map(describeProbe)).toEqual([]);
  });

  test('has each model of the facts in its state, and no other', () => {
    const states: Readonly<Record<string, string>> = { live: 'live', remapped: 'live', withdrawn: 'removed', removed: 'removed' };
    const mine = IMAGE_MODELS.filter(({ state }) => state !== 'legacy').map(({ name, state }) => [name, states[state]]);
    expect(Object.fromEntries(mine)).toEqual(Object.fromEntries(rows.map(([name, { state }]) => [name, state])));
    expect(IMAGE_MODELS.filter(({ state }) => state === 'legacy').map(({ name }) => name)).toEqual(facts.legacyImages);
    expect([...CHAT_MODELS].sort()).toEqual([...facts.chat.live].sort());
    expect(VIDEO_MODEL.name).toBe(facts.video.model);
  });
});

describe('the emulator', () => {
  let emulator: Emulator;
  beforeAll(async () => {
    emulator = await startEmulator({ taskMs: 0, badSize: 'refuse', imageEdge: 16 });
  });
  afterAll(() => emulator.close());

  const submit = async (fields: object, model: string): Promise<number> => {
    const reply = await fetch(`${emulator.url}/v1/api/generate`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk-1', 'content-type': 'application/json' },
      body: JSON.stringify({ model, prompt: 'x', replyType: 'async', ...fields }),
    });
    await reply.arrayBuffer();
    return reply.status;
  };

  test('takes and refuses what the facts say, for each model and value', async () => {
    emulator.configure({ models: Object.fromEntries(rows.map(([name]) => [name, 'live' as const])) });
    const wrong: string[] = [];
    for (const probe of PROBES) {
      const { model, field, value, taken } = probe;
      const status = await submit({ [field]: value }, model);
      if ((status === 200) !== (taken !== false)) wrong.push(`${describeProbe(probe)}: ${status}`);
    }
    expect(wrong).toEqual([]);
    emulator.configure({ models: {} });
  });

  test('lists each model of the facts in its state, and no other', async () => {
    const reply = await fetch(`${emulator.url}/client/serverGrsai/getModelListV2`, { method: 'POST' });
    const { data } = (await reply.json()) as { data: { list: { name: string; type: string; closeModel: boolean }[] } };
    const states = (type: string): Record<string, string> =>
      Object.fromEntries(
        data.list.filter((row) => row.type === type).map((row) => [row.name, row.closeModel ? 'removed' : 'live']),
      );
    expect(states('image')).toEqual(Object.fromEntries(rows.map(([name, { state }]) => [name, state])));
    const chat = Object.entries(facts.chat).flatMap(([state, names]) => names.map((name) => [name, state]));
    expect(states('chat')).toEqual(Object.fromEntries(chat));
    expect(states('video')).toEqual({ [facts.video.model]: 'live' });
    for (const model of facts.legacyImages) expect(await submit({}, model)).toBe(400);
  });
});

describe('the video model', () => {
  const { video } = facts;
  const url = 'https://assets.example.net/a.png';
  const list = (length: number): string[] => new Array<string>(length).fill(url);
  const cases: readonly (readonly [object, boolean])[] = [
    ...video.ratios.map((aspectRatio) => [{ aspectRatio }, true] as const),
    [{ aspectRatio: '16:9' }, false],
    ...video.resolutions.map((resolution) => [{ resolution }, true] as const),
    [{ resolution: '4k' }, false],
    ...Object.entries(video.longest).flatMap(
      ([resolution, duration]) =>
        [
          [{ resolution, duration }, true],
          [{ resolution, duration: duration + 1 }, false],
          [{ resolution, duration: 0 }, false],
        ] as const,
    ),
    [{ images: list(video.maxImages) }, true],
    [{ images: list(video.maxImages + 1) }, false],
    [{ audios: list(video.maxAudios) }, true],
    [{ audios: list(video.maxAudios + 1) }, false],
  ];

  test('is taken and refused alike by client and emulator, as the facts say', async () => {
    await using emulator = await startEmulator({ taskMs: 0 });
    for (const [fields, taken] of cases) {
      const task = { model: video.model, prompt: 'x', replyType: 'async', ...fields };
      const reply = await fetch(`${emulator.url}/v1/api/generate`, {
        method: 'POST',
        headers: { authorization: 'Bearer sk-1' },
        body: JSON.stringify(task),
      });
      const mine = validateImageTask(task).length === 0;
      expect([fields, mine, reply.status === 200]).toEqual([fields, taken, taken]);
    }
  });
});
