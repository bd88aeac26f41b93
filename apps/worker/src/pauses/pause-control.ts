import type { Credits, JobStore, Pause } from '@grsai-jobs/job-store';
import { hasFlag, type PauseReason } from '@grsai-jobs/jobs';
import { type Producer, QUEUES, type QueueName } from '@grsai-jobs/queue';
import type { Clock, Logger } from '@grsai-jobs/runtime';
import { PAUSES, type ProbedReason } from './table.ts';

export type PauseControl = ReturnType<typeof createPauseControl>;

/** How a queue's flag stands for the reasons that it has. */
export const gateOf = (pauses: readonly Pause[]): 'paused' | 'half' | 'open' => {
  const flags = pauses.filter(({ reason }) => hasFlag(reason));
  if (flags.some((pause) => pause.state === 'paused')) return 'paused';
  return flags.length > 0 ? 'half' : 'open';
};

/** Sets and clears reasons. The reasons in Redis are the truth; BullMQ's flag follows them. */
export function createPauseControl(o: { pauses: JobStore['pauses']; producer: Producer; clock: Clock; log: Logger }) {
  async function align(queues: readonly QueueName[]): Promise<void> {
    const all = await o.pauses.all();
    await Promise.all(queues.map((queue) => o.producer.gate(queue, gateOf(all[queue] ?? []))));
  }

  return {
    /** Stops the queues of a reason. Saying it again changes nothing, unless the reason was half open. */
    async pause(reason: ProbedReason, detail: string, credits?: Credits): Promise<void> {
      const pause: Pause = { reason, since: o.clock.now(), detail, state: 'paused', ...(credits ? { credits } : {}) };
      const added = await Promise.all(PAUSES[reason].map((queue) => o.pauses.add(queue, pause)));
      if (added.includes(true))
        o.log.error({ event: 'queues.paused', reason, detail, queues: PAUSES[reason] }, `paused: ${reason}`);
      await align(PAUSES[reason]);
    },

    /** Says that a queue waits since upstream asked for it, and until when; the queue's own limit makes it wait. */
    async waits(queue: QueueName, ms: number, detail: string): Promise<void> {
      const since = o.clock.now();
      const pause = { reason: 'upstream_rate_limit', since, detail, state: 'paused', until: since + ms } as const;
      if (await o.pauses.addUntil(queue, pause))
        o.log.warn(
          { event: 'queues.paused', reason: pause.reason, detail, queues: [queue], wait_ms: ms },
          'upstream asks us to wait',
        );
    },

    /** Lets one job at a time through, to see. */
    async halfOpen(reason: ProbedReason): Promise<void> {
      for (const queue of PAUSES[reason]) {
        const pause = (await o.pauses.all())[queue]?.find((each) => each.reason === reason);
        if (pause) await o.pauses.put(queue, { ...pause, changed: o.clock.now(), state: 'half' });
      }
      o.log.warn({ event: 'queues.half_open', reason }, `half open: ${reason}`);
      await align(PAUSES[reason]);
    },

    /** It was too early: the half-open reason stops its queues again. */
    async closeAgain(reason: ProbedReason, detail: string): Promise<void> {
      const now = o.clock.now();
      for (const queue of PAUSES[reason]) {
        const before = (await o.pauses.all())[queue]?.find((each) => each.reason === reason);
        await o.pauses.put(queue, { since: now, ...before, reason, detail, state: 'paused', changed: now });
      }
      o.log.error({ event: 'queues.paused', reason, detail, queues: PAUSES[reason] }, `paused again: ${reason}`);
      await align(PAUSES[reason]);
    },

    /** Keeps what is known of our money since the pause began. */
    async noteCredits(credits: Credits): Promise<void> {
      const all = await o.pauses.all();
      for (const queue of PAUSES.balance) {
        const pause = all[queue]?.find((each) => each.reason === 'balance');
        if (pause) await o.pauses.put(queue, { ...pause, credits });
      }
    },

    async resume(reason: ProbedReason): Promise<void> {
      const removed = await Promise.all(PAUSES[reason].map((queue) => o.pauses.remove(queue, reason)));
      if (removed.includes(true)) o.log.info({ event: 'queues.resumed', reason, queues: PAUSES[reason] }, `resumed: ${reason}`);
      await align(PAUSES[reason]);
    },

    /** The reasons that hold now, with the state that is the stricter one over their queues. */
    async reasons(): Promise<Map<PauseReason, Pause>> {
      const found = new Map<PauseReason, Pause>();
      for (const pauses of Object.values(await o.pauses.all()))
        for (const pause of pauses) if (found.get(pause.reason)?.state !== 'paused') found.set(pause.reason, pause);
      return found;
    },

    /** All that waits now and why, once for all queues that have it. */
    async all(): Promise<Pause[]> {
      const found = Object.values(await o.pauses.all()).flat();
      return [...new Map(found.map((pause) => [[pause.reason, pause.model, pause.tenant].join(' '), pause])).values()];
    },

    /** Brings BullMQ's flags in line, as a starting worker does. */
    align: () => align(QUEUES),
  };
}
