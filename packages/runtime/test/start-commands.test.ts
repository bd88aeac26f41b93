import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (file: string): string => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');
const dockerfile = read('docker/Dockerfile');
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

test.each(['api', 'worker'] as const)('when the image of the %s starts then by the words of its start script', (app) => {
  const stage = dockerfile.split(/^FROM /m).find((text) => text.startsWith(`runtime AS ${app}\n`));
  const command = /^CMD (\[.*\])$/m.exec(stage ?? '')?.[1];
  expect(JSON.parse(command ?? 'null')).toEqual(scripts[`start:${app}`]?.split(' '));
});
