import { globSync, readFileSync } from 'node:fs';
import { TRANSITIONS, type TransitionName } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { EXAMPLES } from './harness.ts';

interface Lua {
  name: string;
  code: string;
}

const SRC = new URL('../src/', import.meta.url).pathname;

const scripts: readonly Lua[] = globSync('**/*.lua', { cwd: SRC })
  .sort()
  .map((path) => {
    const text = readFileSync(`${SRC}${path}`, 'utf8');
    return { name: path.replace('.lua', ''), code: text.replace(/--.*/g, '') };
  });

const GUARD = /\bguard\((?:'(\w+)'|(order\.row))/g;

/** Rows of the table that a script asks about; one that is told its row by its caller asks about every row that `commit` makes. */
const guarded = ({ name, code }: Lua): TransitionName[] =>
  name === 'job/guard'
    ? []
    : [...code.matchAll(GUARD)].flatMap(([, row]) => (row ? [row] : Object.keys(EXAMPLES))).map((row) => row as TransitionName);

/** Which hashes a script writes a field to that may be `st`: by name, or among fields that its caller has named. */
function writesState({ code }: Lua): string[] {
  const calls = [...code.matchAll(/redis\.call\([^\n,]*'(?:HSET|HSETNX|HMSET)',\s*([\w.[\]+ ]+?),\s*([^\n]*)/g)];
  const targets = calls.filter(([, , fields]) => /'st'|^[^']|\bunpack\(/.test(fields ?? '')).map(([, target = '']) => target);
  const places = targets.map((target) => target.replace(/^K\.|\[.*$/g, ''));
  return [...new Set(places)].sort();
}

/** Hashes that are no records of jobs. Batches, bulk actions, deliveries and files have a state of their own, which is none of the table's. */
const OTHERS = [
  'action',
  'batch',
  'brakes',
  'concurrency',
  'delivery',
  'file',
  'idle',
  'in_flight',
  'noted',
  'pace',
  'pauses',
  'turns',
];
/** A part of several scripts, of which some run on a full Redis: so does what it changes. */
const RUNS_WITH_OTHERS = 'room/room';
/**
 * What these write to is given to them: `set-field` hashes of workers and pauses, `attempts` how endpoints and hosts fare,
 * `create-file-batch` the batch of a file.
 */
const GIVEN: Readonly<Record<string, readonly string[]>> = {
  'operator/set-field': ['hash'],
  'webhook/attempts': ['fares.key'],
  'file/create-file-batch': ['record'],
};

test('only scripts that ask the table whether they may write the state of a job', () => {
  const writers = scripts
    .map((script) => ({
      script,
      to: writesState(script).filter((each) => ![...OTHERS, ...(GIVEN[script.name] ?? [])].includes(each)),
    }))
    .filter(({ to }) => to.length > 0);
  expect(Object.fromEntries(writers.map(({ script, to }) => [script.name, to]))).toEqual({
    'batch/add': ['job'],
    'job/create': ['job'],
    'job/start-call': ['job'],
    'job/transition': ['job'],
  });
  for (const { script } of writers) expect([script.name, guarded(script)]).not.toEqual([script.name, []]);
});

/**
 * Whether the script runs on a full Redis for this row, as the TypeScript beside it declares. Where it says that this hangs on `paid`, it
 * agrees by itself.
 */
function runsWhenFull({ name }: Lua, row: TransitionName): boolean {
  if (name === RUNS_WITH_OTHERS) return true;
  const [folder, file] = name.split('/');
  const beside = globSync(`${folder}/*.ts`, { cwd: SRC }).map((path) => readFileSync(`${SRC}${path}`, 'utf8'));
  const declared = new RegExp(`new URL\\('\\./${file}\\.lua', import\\.meta\\.url\\)[^;]*?whenFull: ([^\\n]*),\\n`);
  const [when] = beside.flatMap((code) => declared.exec(code)?.[1] ?? []);
  const answers: Readonly<Record<string, boolean>> = {
    "'runs'": true,
    "'fails'": false,
    "'runs_if_paid'": TRANSITIONS[row].paid,
    [`TRANSITIONS.${row}.paid ? 'runs' : 'fails'`]: TRANSITIONS[row].paid,
  };
  const answer = answers[when ?? ''];
  if (answer === undefined) throw new Error(`${name}.lua is declared with ${when}`);
  return answer;
}

test('every row of the table is asked for by one script, and a script runs on a full Redis just when its rows are paid', () => {
  const asked = scripts.flatMap((script) => guarded(script).map((row) => ({ row, script })));
  expect(asked.map(({ row }) => row).sort()).toEqual(Object.keys(TRANSITIONS).sort());
  for (const { row, script } of asked) {
    const runs = runsWhenFull(script, row);
    expect(`${row} in ${script.name}: ${runs}`).toBe(`${row} in ${script.name}: ${TRANSITIONS[row].paid}`);
  }
});
