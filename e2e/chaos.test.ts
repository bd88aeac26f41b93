import { expect, test } from 'vitest';
import { runChaos } from './chaos/run.ts';

test('when workers, APIs and Redis are killed, frozen and cut under load then every promise holds at the end', async () => {
  const result = await runChaos({ jobs: 60, minutes: 0.5, seed: '1', calm: false, keepLogs: undefined });
  expect(result.findings, result.report).toEqual([]);
}, 180_000);
