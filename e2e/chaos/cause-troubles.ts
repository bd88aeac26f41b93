import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@grsai-jobs/testkit';
import type { Trouble } from './plan-troubles.ts';
import type { World } from './world.ts';

/** A trouble that took place. */
export interface Caused {
  readonly trouble: Trouble;
  readonly from: number;
  /** When it was over; the new life of what was killed may need a second more. */
  readonly until: number;
  /** False: there was nothing to kill or freeze at that moment. */
  readonly struck: boolean;
  /** Paid calls that were open when a worker died, froze or was cut off, or upstream went away. */
  readonly open: readonly { readonly id: string; readonly token: string }[];
}

/** What a dead process had sent is with Redis after this. */
const ON_THE_WAY_MS = 100;

/** What comes back on its port, which for a moment can be that of an outgoing connection. */
async function untilItWorks(comeBack: () => Promise<void>): Promise<void> {
  const works = async () => {
    await comeBack();
    return true;
  };
  await waitFor(works, { timeoutMs: 20_000, everyMs: 200, what: 'a part that was stopped comes back on its port' });
}

/** Does to the world what the plan says, when it says so; resolves when the last trouble is over. */
export async function causeTroubles(world: World, plan: readonly Trouble[], startedAt: number): Promise<Caused[]> {
  // Two troubles of the server itself follow one another.
  let server: Promise<unknown> = Promise.resolve();
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = server.then(work);
    server = turn;
    return turn;
  };
  const proxies = [world.proxies.apis, ...world.proxies.workers];
  const settledCalls = async () => {
    await sleep(ON_THE_WAY_MS);
    return await world.eye.inFlightCalls();
  };

  const cause = async (trouble: Trouble): Promise<Pick<Caused, 'struck' | 'open'>> => {
    switch (trouble.kind) {
      case 'worker.kill': {
        const struck = (await world.workers[trouble.worker]?.kill(trouble.ms)) ?? false;
        return { struck, open: struck ? await settledCalls() : [] };
      }
      case 'worker.freeze': {
        let open: Caused['open'] = [];
        const struck = await world.workers[trouble.worker]?.freeze(trouble.ms, async () => {
          open = await settledCalls();
        });
        return { struck: struck ?? false, open };
      }
      case 'worker.cutoff': {
        const proxy = world.proxies.workers[trouble.worker];
        proxy?.stall();
        const open = await settledCalls();
        await sleep(trouble.ms);
        proxy?.resume();
        return { struck: true, open };
      }
      case 'api.kill':
        return { struck: (await world.apis[trouble.api]?.kill(trouble.ms)) ?? false, open: [] };
      case 'redis.kill':
        return await alone(async () => {
          await world.redis.kill();
          await sleep(trouble.ms);
          await untilItWorks(() => world.redis.restart());
          return { struck: true, open: [] };
        });
      case 'redis.pause':
        return await alone(async () => {
          await world.redis.pause();
          await sleep(trouble.ms);
          await world.redis.resume();
          return { struck: true, open: [] };
        });
      case 'redis.refuse':
        return await alone(async () => {
          await Promise.all(proxies.map((proxy) => proxy.refuse(true)));
          await sleep(trouble.ms);
          await Promise.all(proxies.map((proxy) => untilItWorks(() => proxy.refuse(false))));
          return { struck: true, open: [] };
        });
      case 'redis.cut':
        for (const proxy of proxies) proxy.dropAll();
        return { struck: true, open: [] };
      case 's3.away':
        world.s3.outage(trouble.how);
        await sleep(trouble.ms);
        world.s3.outage(false);
        return { struck: true, open: [] };
      case 'upstream.away': {
        const nodes = trouble.nodes.flatMap((index) => world.emulator.nodes[index] ?? []);
        const before = await world.eye.inFlightCalls();
        await Promise.all(nodes.map((node) => node.stop()));
        const open = [...before, ...(await world.eye.inFlightCalls())];
        await sleep(trouble.ms);
        await Promise.all(nodes.map((node) => untilItWorks(() => node.start())));
        return { struck: true, open };
      }
    }
  };

  return await Promise.all(
    plan.map(async (trouble) => {
      await sleep(Math.max(0, startedAt + trouble.atMs - Date.now()));
      const from = Date.now();
      const what = await cause(trouble);
      return { trouble, from, until: Math.max(Date.now(), from + trouble.ms), ...what };
    }),
  );
}
