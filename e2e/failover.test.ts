import { redisBinary } from '@grsai-jobs/testkit';
import { expect, test } from 'vitest';
import { runFailovers } from './chaos/failovers.ts';

test.runIf(await redisBinary())(
  'when Sentinels change the primary and a process dies in the same second then nothing that was confirmed is lost, paid twice or untold',
  async () => {
    const result = await runFailovers({
      ...{ seed: '1', planned: 1, unplanned: 0, durability: 'replica', kills: true, perSecond: 10 },
    });
    const { lost, paidTwice, untold, unfinished } = result;
    expect({ lost, paidTwice, untold, unfinished }, JSON.stringify(result)).toEqual({
      ...{ lost: [], paidTwice: [], untold: [], unfinished: [] },
    });
  },
  180_000,
);
