import { readFileSync } from 'node:fs';
import { checkPackage, createPackageFromTarballData, type Problem } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

/**
 * All packages are ES modules with `exports`: CommonJS reads them by `import()`, or by `require` of Node 20.19 and later, and the
 * resolution of Node 10 (`moduleResolution: node10`) finds nothing in them.
 */
const isMeant = (problem: Problem): boolean =>
  problem.kind === 'CJSResolvesToESM' || ('resolutionKind' in problem && problem.resolutionKind === 'node10');

/** What is wrong with a packed package: its manifest, files and exports (publint), and how its types are found (attw). */
export async function problemsOf(tarball: string, { types }: { types: boolean }): Promise<string[]> {
  const packed = readFileSync(tarball);
  const data = packed.buffer.slice(packed.byteOffset, packed.byteOffset + packed.byteLength);
  const { messages, pkg } = await publint({ pack: { tarball: data }, level: 'warning' });
  const linted = messages.map((message) => `publint: ${formatMessage(message, pkg, { color: false })}`);
  if (!types) return linted;
  const { types: found, ...checked } = await checkPackage(createPackageFromTarballData(new Uint8Array(data)));
  if (found === false || !('problems' in checked)) return [...linted, 'attw: it has no types'];
  const wrong = checked.problems.filter((problem) => !isMeant(problem)).map((problem) => `attw: ${JSON.stringify(problem)}`);
  return [...linted, ...wrong];
}
