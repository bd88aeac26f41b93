import { expect, test } from 'vitest';
import { startFolder } from './start-folder.ts';

test.each([
  ['npm run jobs', { npm_lifecycle_event: 'jobs', INIT_CWD: '/home/me' }, '/home/me'],
  ['node apps/cli/src/main.ts', {}, undefined],
  ['another script that calls it', { npm_lifecycle_event: 'nightly', INIT_CWD: '/home/me' }, undefined],
  ['a runner that says nothing', { npm_lifecycle_event: 'jobs', INIT_CWD: '' }, undefined],
])('when it was started by %s then files are looked for where the person stands', (_how, env, folder) => {
  expect(startFolder(env)).toBe(folder);
});
