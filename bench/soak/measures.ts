/** What is looked at, how it is shown, and what counts as growth of it. */
export interface Measure {
  /** Of the sample, after the name of a process where it is one of each. */
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  /** A rise of less than this over the judged time is none. */
  readonly slack: number;
  /** False: it is shown, and says nothing about a leak. */
  readonly judged: boolean;
}

/** The processes, in the order in which they are shown. Worker 2 is killed, so its lines are not judged. */
export const PROCESSES = ['api', 'worker-1', 'worker-2'] as const;
export type ProcessName = (typeof PROCESSES)[number];
export const isJudged = (process: string): boolean => process !== 'worker-2';

/** One of each process. */
export const OF_PROCESS: readonly Measure[] = [
  { name: 'rss', title: 'Memory (RSS)', unit: 'MiB', slack: 8, judged: true },
  { name: 'heap', title: 'Heap in use', unit: 'MiB', slack: 8, judged: true },
  { name: 'external', title: 'Memory outside the heap', unit: 'MiB', slack: 4, judged: true },
  { name: 'handles', title: 'Open file handles', unit: '', slack: 5, judged: true },
  { name: 'sockets', title: 'Sockets', unit: '', slack: 5, judged: true },
  { name: 'resources', title: 'Active resources of Node', unit: '', slack: 10, judged: true },
  { name: 'delay', title: 'Event loop delay, p99 of 10 s', unit: 'ms', slack: 5, judged: true },
];

/** One of the whole service. */
export const OF_SERVICE: readonly Measure[] = [
  { name: 'redis.memory', title: 'Redis: used memory', unit: 'MiB', slack: 4, judged: true },
  { name: 'redis.keys', title: 'Redis: keys, without those of 72 h', unit: '', slack: 200, judged: true },
  { name: 'redis.clients', title: 'Redis: connections', unit: '', slack: 3, judged: true },
  { name: 'redis.jobs', title: 'Jobs in the lists of tenants', unit: '', slack: 50, judged: true },
  { name: 'redis.deliveries', title: 'Webhooks in the lists of tenants', unit: '', slack: 50, judged: true },
  { name: 'redis.due', title: 'Jobs that something is due for', unit: '', slack: 20, judged: true },
  { name: 'redis.pending', title: 'Webhooks not over yet', unit: '', slack: 20, judged: true },
  { name: 'redis.late', title: 'Tasks that are polled late', unit: '', slack: 20, judged: false },
  { name: 'redis.inflight', title: 'Calls and tasks in flight', unit: '', slack: 10, judged: true },
  { name: 'redis.operations', title: 'Operations', unit: '', slack: 5, judged: true },
  { name: 'objects', title: 'Objects in S3', unit: '', slack: 100, judged: true },
  { name: 'live', title: 'Jobs accepted and not ended', unit: '', slack: 20, judged: true },
  { name: 'accepted', title: 'Jobs accepted', unit: '/s', slack: 1, judged: false },
  { name: 'ended', title: 'Jobs ended', unit: '/s', slack: 1, judged: false },
  { name: 'told', title: 'Webhooks taken by receivers', unit: '/s', slack: 1, judged: false },
  { name: 'refused', title: 'Requests refused by a limit', unit: '/s', slack: 1, judged: false },
];
