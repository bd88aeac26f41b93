import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/** What comments, tests and documents cite: `design.md §2.4`, `upstream.md §12 T7`, `[a link](errors.md#run-it-again)`. */

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const TEXTS = /\.(?:ts|js|mjs|lua|md|ya?ml|sh)$|Dockerfile$|^\.env\.example$/;

const NOT_OURS = /^(?:\..+|node_modules|dist|coverage)$/;

/** What a citation may not name: notes that are not in the repository. */
const NOT_HERE = /\b(?:shared\/[\w-]+\.md|grsai-api|design-2|(?:issue|issues) #?\d)/i;

/** A document of ours, or one of the world's whose sections nobody here can check. */
const NAMED = /\b([\w-]+\.md)\b|\b(RFC \d+|ISO\/IEC [\d-]+|HTML|TIFF 6\.0)/g;
const SECTION = /§(\d+(?:\.\d+)*)(?:,? ([TFN]\d+|rule \d+))?/g;
/** So far behind the name of its document a section may stand. */
const NEAR = 120;

function walk(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name);
    if (entry.isDirectory()) return NOT_OURS.test(entry.name) ? [] : walk(path);
    return TEXTS.test(entry.name) && path !== 'pnpm-lock.yaml' && entry.name !== 'citations.test.ts' ? [path] : [];
  });
}

const files = walk('');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

const documents = files.filter((file) => file.endsWith('.md'));
const headings = (file: string) =>
  [
    ...read(file)
      .replace(/^```[\s\S]*?^```/gm, '')
      .matchAll(/^#+ (.+)$/gm),
  ].map(([, title = '']) => title);
const sections = new Map(
  ['docs/design.md', 'packages/grsai/docs/upstream.md'].map((file) => [
    basename(file),
    { numbers: new Set(headings(file).flatMap((title) => /^(\d+(?:\.\d+)*)\.? /.exec(title)?.[1] ?? [])), text: read(file) },
  ]),
);

/** The text in one line, without the marks that comments have in front of each line. */
const flat = (text: string) => text.replace(/\n\s*(?:\*|\/\/|--|#)?\s*/g, ' ');

/** Whether the row of a trap, a fault or a flow, or the numbered rule, is in the document. */
const hasItem = (text: string, item: string) =>
  item.startsWith('rule ') ? text.includes(`\n${item.slice(5)}. `) : new RegExp(`^\\| ${item} +\\|`, 'm').test(text);

/** What is wrong with the citations of sections in a text. */
function wrongIn(file: string): string[] {
  const text = flat(read(file));
  const names = [...text.matchAll(NAMED)].map(({ index, 1: own, 2: other }) => ({ index, name: own ?? other ?? '' }));
  return [...text.matchAll(SECTION)].flatMap(({ index, 0: cited, 1: number = '', 2: item }) => {
    const named = names.findLast((each) => each.index < index && index - each.index < NEAR);
    const name = named?.name ?? (sections.has(basename(file)) ? basename(file) : undefined);
    if (name === undefined) return [`${file}: ${cited} of which document?`];
    if (!name.endsWith('.md')) return [];
    const document = sections.get(name);
    if (!document?.numbers.has(number)) return [`${file}: ${name} has no §${number}`];
    return item === undefined || hasItem(document.text, item) ? [] : [`${file}: ${name} has no ${item}`];
  });
}

test('when a section is cited then its document has it', () => {
  expect(files.length).toBeGreaterThan(500);
  expect(files.flatMap(wrongIn)).toEqual([]);
});

test('when something is cited then it is in the repository', () => {
  const lines = files.flatMap((file) =>
    read(file)
      .split('\n')
      .map((line, i) => ({ at: `${file}:${i + 1}`, line })),
  );
  expect(lines.filter(({ line }) => NOT_HERE.test(line)).map(({ at, line }) => `${at}: ${line.trim()}`)).toEqual([]);
});

/** As GitHub makes the anchor of a heading. */
const anchor = (title: string) =>
  title
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

test('when a document links to a file or a heading then it is there', () => {
  const broken = documents.flatMap((file) =>
    [
      ...read(file)
        .replace(/^```[\s\S]*?^```/gm, '')
        .matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)/g),
    ].flatMap(([link, path = '', hash]) => {
      const target = path === '' ? file : posix.normalize(posix.join(dirname(file), path));
      if (!existsSync(join(ROOT, target))) return [`${file}: ${link}`];
      if (hash === undefined || !target.endsWith('.md')) return [];
      return headings(target).some((title) => anchor(title) === hash) ? [] : [`${file}: ${link}`];
    }),
  );
  expect(broken).toEqual([]);
});

test('when a comment names a document then it is there', () => {
  const known = new Set(documents.map((file) => basename(file)));
  const missing = files.flatMap((file) =>
    [...read(file).matchAll(/(?<![\w./-])((?:[\w.-]+\/)*)([A-Za-z][\w-]*\.md)\b/g)].flatMap(([path, folder = '', name = '']) =>
      known.has(name) && (folder === '' || existsSync(join(ROOT, path)) || existsSync(join(ROOT, dirname(file), path)))
        ? []
        : [`${file}: ${path}`],
    ),
  );
  expect(missing).toEqual([]);
});
