import { createAsking } from './asking.ts';
import { condition, type Fault } from './fault.ts';
import type { ReceiverCondition } from './internet.ts';
import type { UpstreamCondition } from './upstream-faults.ts';

/** What goes wrong outside of the service: in the object store, upstream, and where webhooks go. */
export const OUTSIDE_FAULTS: readonly Fault[] = [
  condition<'refusing' | 'silent'>(
    'bucket',
    4,
    ['refusing', 'silent'],
    [2000, 60_000],
    (world, value) => {
      world.bucket.condition = value ?? 'well';
      return `the object store is ${world.bucket.condition}`;
    },
    { outside: true },
  ),
  condition<UpstreamCondition>(
    'upstream',
    5,
    ['away', 'silent', 'rate_limited', 'no_credits'],
    [1000, 40_000],
    (world, value) => {
      world.upstream.condition = value ?? 'well';
      return `upstream is ${world.upstream.condition}`;
    },
    { outside: true },
  ),
  condition<'failing'>(
    'files',
    2,
    ['failing'],
    [2000, 60_000],
    (world, value) => {
      world.internet.files = value ?? 'well';
      return `files of upstream are ${world.internet.files}`;
    },
    { outside: true },
  ),
  {
    name: 'a receiver',
    weight: 3,
    outside: true,
    begin(world, random) {
      const host = `tenant-${random.whole(1, world.plan.tenants)}.receiver.example`;
      const became = random.pick<ReceiverCondition>(['failing', 'silent', 'away']);
      world.internet.receivers.set(host, became);
      return {
        what: `${host} is ${became}`,
        undo: () => void world.internet.receivers.set(host, 'well'),
        inMs: random.whole(2000, 90_000),
      };
    },
  },
  condition<UpstreamCondition>(
    'key',
    2,
    ['refuses_key', 'strange', 'strange'],
    [1000, 40_000],
    (world, value) => {
      world.upstream.condition = value ?? 'well';
      return `upstream is ${world.upstream.condition}`;
    },
    { outside: true },
  ),
  condition<number>(
    'bucket loses',
    2,
    [0.2, 0.6],
    [5000, 60_000],
    (world, value) => {
      world.bucket.lost = value ?? 0;
      return `the object store loses ${world.bucket.lost} of its answers`;
    },
    { outside: true },
  ),
  {
    name: 'a receiver is gone',
    weight: 1,
    outside: true,
    begin(world, random) {
      const tenant = `tenant-${random.whole(1, world.plan.tenants)}`;
      const host = `${tenant}.receiver.example`;
      world.internet.receivers.set(host, 'gone');
      const ask = createAsking(world, random.fork('recover'));
      const { promise: there, resolve: undo } = Promise.withResolvers<void>();
      const recover = async () => {
        await there;
        world.internet.receivers.delete(host);
        await ask.until('operator', async (use) => {
          await use.recoverEndpoint({ tenant, url: `https://${host}/hook`, since: 0 });
          world.story('operator', `has ${host} recovered`);
          return true;
        });
      };
      world.follow(recover());
      return { what: `${host} is gone`, undo, inMs: random.whole(2000, 40_000) };
    },
  },
];
