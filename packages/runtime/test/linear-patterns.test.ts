import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Where patterns meet what callers, receivers and upstream send: headers, queries, cursors, bodies, answers. */
const FOLDERS = ['apps/api/src', 'packages/jobs/src', 'packages/egress/src', 'packages/grsai/src'];

/** As many characters as Node takes in all headers of a request. */
const LENGTH = 16 * 1024;
/** What is linear in the length takes less than a millisecond; what goes with its square takes hundreds, or for ever. */
const LIMIT_MS = 60;

/** Patterns that never see a long text. */
const BOUNDED: Readonly<Record<string, string>> = {
  '\\/+$': 'read from the environment',
  '"[^"\\n]*"|“[^”\\n]*”|「[^」\\n]*」|`[^`\\n]*`': 'signature.ts cuts what it reads to 2000 characters',
};

interface Pattern {
  at: string;
  source: string;
  flags: string;
}

const LITERAL = /(?<=[=(,:!&|?[]\s*)\/(?![*/])((?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+)\/([dgimsuvy]*)(?=\s*[.,;)\]:])/g;

const patternsIn = (path: string): Pattern[] =>
  readFileSync(`${root}${path}`, 'utf8')
    .split('\n')
    .flatMap((line, i) =>
      /^\s*(\/\/|\/?\*)/.test(line)
        ? []
        : [...line.matchAll(LITERAL)].map(([, source = '', flags = '']) => ({ at: `${path}:${i + 1}`, source, flags })),
    );

const patterns = FOLDERS.flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: root }))
  .filter((path) => !path.endsWith('.test.ts'))
  .flatMap(patternsIn);

/** Texts that make a pattern try again and again: what it is made of, once and in pairs, behind what it begins with. */
function textsFor(source: string): string[] {
  const plain = source.replaceAll(/\\[a-zA-Z]/g, '').replaceAll(/[\\^$()[\]{}|?*+]/g, '');
  const letters = [...new Set([...plain, ' ', 'a', '0', '"', ',', '\\', '\u0001'])].slice(0, 14);
  const begin = /^\^?((?:\\[^a-zA-Z]|[\w:;/,"= -])*)/.exec(source)?.[1]?.replaceAll('\\', '') ?? '';
  const pumps = letters.flatMap((one) => [one, ...letters.map((other) => one + other)]);
  return pumps.flatMap((pump) => ['', begin].map((start) => `${start}${pump.repeat(LENGTH / pump.length)}\u0000`));
}

function msOf(pattern: RegExp, text: string): number {
  let least = Number.POSITIVE_INFINITY;
  for (let n = 0; n < 3 && least > LIMIT_MS; n += 1) {
    const begun = performance.now();
    text.replaceAll(pattern, '');
    least = Math.min(least, performance.now() - begun);
  }
  return least;
}

test('whatever is sent, each pattern that reads it takes time in proportion to its length', () => {
  expect(patterns.length).toBeGreaterThan(60);
  const slow = patterns.flatMap(({ at, source, flags }) => {
    if (Object.hasOwn(BOUNDED, source)) return [];
    const pattern = new RegExp(source, `${flags.replace(/[gy]/g, '')}g`);
    const text = textsFor(source).find((each) => msOf(pattern, each) > LIMIT_MS);
    return text === undefined ? [] : [`${at} /${source}/ on ${JSON.stringify(text.slice(0, 20))}…`];
  });
  expect(slow).toEqual([]);
});
