import { startAsked } from '../lib/children.ts';
import { contenders, missing, type PeerName, type StartContender, type Surroundings } from '../lib/contender.ts';
import { benchChat } from '../lib/job.ts';
import type { Measured, Row } from '../lib/row.ts';
import { runQueued } from '../lib/run-queued.ts';
import { costOf, line, median, type Sample, takeTurns } from '../lib/sample.ts';
import type { SinksQuestion, SinksUrls } from '../stand-ins/sinks.ts';

const JOBS = 5000;

interface Shape {
  readonly name: string;
  /** Receivers, each on a port of its own; a job's is the next one. */
  readonly endpoints: number;
}

const STORES = 'every Redis syncs its file each second, PostgreSQL commits asynchronously';

/** What stands beside us, with the least that we want to be of it. */
const PEERS: ReadonlyMap<PeerName, number> = new Map([
  ['BullMQ', 0.7],
  ['graphile-worker', 1.3],
]);

/**
 * The same whole job by us and by what one would write with a queue (`bench/peers`): record, call, result, signed webhook with retries. Records and
 * queue entries are written before, each by itself; each round has a new store and a new worker on every side. The figure is what a peer's job costs
 * in CPU (worker and store) in parts of ours.
 */
const chats = ({ name, endpoints }: Shape): Row => ({
  name,
  measures: [...PEERS].map(([peer, value], i) => ({
    what:
      i === 0
        ? `${JOBS} queued chats to signed webhook, ${endpoints} endpoint${endpoints === 1 ? '' : 's'}: CPU of a job`
        : 'the same',
    against: peer === 'BullMQ' ? 'a plain BullMQ worker' : `${peer} on PostgreSQL`,
    unit: '',
    aim: { is: 'at least', value },
  })) as [Row['measures'][0], ...Row['measures'][0][]],
  rounds: 3,
  seconds: 90,
  async run({ rounds, profileDir, say }) {
    await using stack = new AsyncDisposableStack();
    const sinks = startAsked<SinksQuestion>(new URL('../stand-ins/sinks.ts', import.meta.url));
    stack.defer(() => sinks.stop());
    const { upstream } = await sinks.ask<SinksUrls>({ ask: 'urls' });
    const receivers = await sinks.ask<string[]>({ ask: 'receivers', count: endpoints });
    const jobs = Array.from({ length: JOBS }, (_, i) => benchChat(`${receivers[i % endpoints]}/hooks`));
    const side = (start: StartContender, around: Surroundings) => async () => {
      await using own = new AsyncDisposableStack();
      const contender = await start(own, around);
      await contender.add(jobs);
      return await runQueued(sinks, JOBS, contender.store.pid, () => contender.startWorker());
    };
    const sides = new Map([...contenders()].map(([who, start]) => [who, side(start, { upstream, profileDir })]));
    const samples = await takeTurns(rounds, sides, (round, who, sample) =>
      say(`round ${round}/${rounds}: ${who} ${line(sample)}`),
    );
    return [...PEERS.keys()].map((peer) => compared(peer, samples.get('ours') ?? [], samples.get(peer)));
  },
});

function compared(peer: PeerName, ours: readonly Sample[], theirs: readonly Sample[] | undefined): Measured {
  if (theirs === undefined) return { figures: [], skipped: missing(peer) ?? 'nothing was measured' };
  const figures = theirs.map((sample, i) => costOf(sample) / costOf(ours[i] ?? sample));
  const rates = theirs.map(({ perSecond }, i) => (ours[i]?.perSecond ?? Number.NaN) / perSecond);
  return { figures, ours, bare: theirs, notes: [`by rates ${median(rates).toFixed(2)} of ${peer}; ${STORES}`] };
}

export const peersChat = chats({ name: 'peers-chat', endpoints: 1 });
export const peersChatMany = chats({ name: 'peers-chat-many', endpoints: 100 });
