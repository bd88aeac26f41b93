/**
 * Every key of the job records, under one hash tag so that a script's keys share a slot: `{gj}:…`. BullMQ has a tag
 * of its own (`{gj-q}`, packages/queue); no script touches both.
 */
export interface Keys {
  job(id: string): string;
  /** A part of its record that is no field of the hash: it can be long. `stream`: its answer as it comes in, and the channel on which that is told. */
  jobPart(id: string, part: 'doc' | 'out' | 'att' | 'stream'): string;
  /** Job id → the time by which something must have happened. */
  due: string;
  /** One stream of what happens to all jobs, for watchers. */
  events: string;
  /** Jobs with an in-flight call or a living task → the time after which they no longer count. Keys of a queue, and of a tenant, begin with it. */
  inflight: string;
  /** In front of the keys of rooms, in which the queued jobs of a tenant wait. */
  waiting: string;
  /** The token bucket of calls and submits. */
  rpm: string;
  /** Turns of the tenants, V and the number of queued jobs. */
  turns: string;
  /** The channel that says which job's in-flight call is to be aborted. */
  cancels: string;
  /** The channel that says which tenant's webhook secrets have changed. */
  secretChanges: string;
  tenantJobs(tenant: string): string;
  tenantFailed(tenant: string): string;
  tenantDeliveries(tenant: string): string;
  /** What belongs to a tenant itself: its sealed webhook secrets, its limits. */
  tenant(tenant: string): string;
  failed: string;
  /** Ended jobs by the time of their end, for the sweep of old records. */
  ended: string;
  /** Jobs whose result is paid for and not stored → since when. */
  storing: string;
  /** Ended jobs whose task may still end well → when to poll it. */
  late: string;
  /** Those of them that are being polled → how many late polls in a row came to no end. */
  lateOpen: string;
  /** Why a queue is paused: reason → since and detail. */
  pauses(queue: string): string;
  /** What models were refused with, whose calls wait for that, and who goes ahead to see. */
  brakes: string;
  /** Entries that wait for a brake → since when, as `queue id step`. */
  braked: string;
  batch(id: string): string;
  /** Ids of a batch's jobs by line. */
  batchJobs(id: string): string;
  /** Those of one queue and priority that still wait to be let in, by line. `rank`: 0 high, 1 normal, 2 low. */
  batchLines(id: string, queue: string, rank: number | string): string;
  /** Lines of a batch that were left out, and why. */
  batchErrors(id: string): string;
  tenantBatches(tenant: string): string;
  /** Ended batches by the time of their end. */
  endedBatches: string;
  file(id: string): string;
  tenantFiles(tenant: string): string;
  /** Files → when their time is over. */
  filesExpiring: string;
  /** What is known of a batch that was made of a file. */
  fileBatch(id: string): string;
  tenantFileBatches(tenant: string): string;
  delivery(id: string): string;
  dueDeliveries: string;
  /** How an endpoint of a tenant fares; by `endpointId`. */
  endpoint(id: string): string;
  /** Attempts that are open to it → the end of their lease. */
  endpointAttempts(id: string): string;
  /** Deliveries that wait for a permit of it → when they were due. */
  endpointRoom(id: string): string;
  /** How a host of a tenant fares; by `EndpointRef.host`. */
  host(id: string): string;
  /** Endpoints whose room is not empty → when to check it. */
  rooms: string;
  /** Deliveries that are not over yet → when they were made. */
  pendingDeliveries: string;
  /** What the records of each tenant take. */
  usage: string;
  /** What calls cost: by tenant for all time and for each month, and budgets; with `:<tenant>:<day>` the counters of a day (`job/cost.lua`). */
  spent: string;
  /** Who had this job erased. */
  erased(id: string): string;
  /** Input objects that no record names yet → since when; 0: they are being deleted. */
  inputNotes: string;
  idempotency(tenant: string, route: string, key: string): string;
  apiKey(hash: string): string;
  apiKeys: string;
  /** Id of a key → when it was last used. */
  apiKeysUsed: string;
  /** Every tenant that ever had a key. */
  tenants: string;
  /** The channel that says that a key was revoked. */
  revoked: string;
  /** Whose key was revoked. */
  revokedKey(id: string): string;
  /** What operators did: one append-only stream, and the lines in it that have no outcome yet. */
  audit: string;
  auditOpen: string;
  /** How many entries of a queue a worker works on at once, where an operator has said so. */
  concurrency: string;
  /** The channel that says that pauses or concurrencies were changed. */
  settings: string;
  /** What an operator has done to many jobs. */
  bulk(id: string): string;
  /** These by the time that they were made. */
  bulks: string;
  /** Worker processes → what they say of themselves. */
  workers: string;
  /** Counters of repairs and the like, for metrics and tests. */
  counters: string;
  /** How long tasks of one kind took: weight by bucket. */
  pace(kind: string): string;
  /** The kinds that there is a pace of → when one was last learned. */
  paces: string;
  /** Upstream's list of models as it was read last. */
  catalogue: string;
  /** An operation: what it is and how far it has come. */
  operation(id: string): string;
  /** Operations → when they are due. */
  operations: string;
  /** In front of the id of an API key, or the name of a tenant: the requests of its minute. */
  rateLimit: string;
  /** A small key that readiness checks write. */
  health: string;
  /** The primary that paid calls may begin on, as scripts name theirs. */
  primary: string;
  /** Another one has taken its place: since when, and which workers have not said yet what they know. */
  recovery: string;
  /** Queued jobs that may have been paid for already → since when they wait for a decision. */
  suspects: string;
  /** When Redis was last restored from a backup, in ms since 1970. */
  restored: string;
  /** The answer of a request to `/openai/v1`: its jobs, and who holds it. */
  answer(id: string): string;
  /** Answers of requests that are the same → until when they can be claimed. */
  answersOf(print: string): string;
  /** Answers that a process of the API holds. */
  answersHeld(process: string): string;
  /** Answers whose caller has left → when their jobs are canceled. */
  answersLeaving: string;
  /** Jobs for whose answer nobody waits → when they are canceled. They do not begin. */
  answersUnwaited: string;
  /** Processes of the API → when they last said that they live. */
  apiProcesses: string;
  /** The channel on which a process of the API listens as long as it lives. */
  apiChannel(process: string): string;
  /** Written whenever something has to last; it holds nothing. */
  lasting: string;
  /** The schema version of everything else here. */
  schema: string;
}

export function createKeys(prefix: string): Keys {
  const at = (rest: string) => `{${prefix}}:${rest}`;
  return {
    job: (id) => at(`job:${id}`),
    jobPart: (id, part) => at(`job:${id}:${part}`),
    due: at('due'),
    events: at('events'),
    inflight: at('inflight'),
    waiting: at('waiting'),
    rpm: at('rpm'),
    turns: at('turns'),
    cancels: at('cancels'),
    secretChanges: at('secret-changes'),
    tenantJobs: (tenant) => at(`tenant:${tenant}:jobs`),
    tenantFailed: (tenant) => at(`tenant:${tenant}:failed`),
    tenantDeliveries: (tenant) => at(`tenant:${tenant}:deliveries`),
    tenant: (tenant) => at(`tenant:${tenant}`),
    failed: at('failed'),
    ended: at('ended'),
    storing: at('storing'),
    late: at('late'),
    lateOpen: at('late-open'),
    pauses: (queue) => at(`pauses:${queue}`),
    brakes: at('brakes'),
    braked: at('braked'),
    batch: (id) => at(`batch:${id}`),
    batchJobs: (id) => at(`batch:${id}:jobs`),
    batchLines: (id, queue, rank) => at(`batch:${id}:lines:${queue}:${rank}`),
    batchErrors: (id) => at(`batch:${id}:errors`),
    tenantBatches: (tenant) => at(`tenant:${tenant}:batches`),
    endedBatches: at('ended:batches'),
    file: (id) => at(`file:${id}`),
    tenantFiles: (tenant) => at(`tenant:${tenant}:files`),
    filesExpiring: at('files-expiring'),
    fileBatch: (id) => at(`file-batch:${id}`),
    tenantFileBatches: (tenant) => at(`tenant:${tenant}:file-batches`),
    delivery: (id) => at(`delivery:${id}`),
    dueDeliveries: at('due:deliveries'),
    endpoint: (id) => at(`endpoint:${id}`),
    endpointAttempts: (id) => at(`endpoint:${id}:attempts`),
    endpointRoom: (id) => at(`endpoint:${id}:room`),
    host: (id) => at(`host:${id}`),
    rooms: at('rooms'),
    pendingDeliveries: at('pending:deliveries'),
    usage: at('usage'),
    spent: at('spent'),
    erased: (id) => at(`erased:${id}`),
    inputNotes: at('input-notes'),
    idempotency: (tenant, route, key) => at(`idem:${tenant}:${route}:${key}`),
    apiKey: (hash) => at(`key:${hash}`),
    apiKeys: at('keys'),
    apiKeysUsed: at('keys-used'),
    tenants: at('tenants'),
    revoked: at('revoked'),
    revokedKey: (id) => at(`revoked:${id}`),
    audit: at('audit'),
    auditOpen: at('audit:open'),
    concurrency: at('concurrency'),
    settings: at('settings'),
    bulk: (id) => at(`bulk:${id}`),
    bulks: at('bulks'),
    workers: at('workers'),
    counters: at('counters'),
    pace: (kind) => at(`pace:${kind}`),
    paces: at('paces'),
    catalogue: at('catalogue'),
    operation: (id) => at(`operation:${id}`),
    operations: at('operations'),
    rateLimit: at('limit'),
    health: at('health'),
    primary: at('primary'),
    recovery: at('recovery'),
    suspects: at('suspects'),
    restored: at('restored'),
    answer: (id) => at(`answer:${id}`),
    answersOf: (print) => at(`answers:${print}`),
    answersHeld: (process) => at(`answers-held:${process}`),
    answersLeaving: at('answers-leaving'),
    answersUnwaited: at('answers-unwaited'),
    apiProcesses: at('api-processes'),
    apiChannel: (process) => at(`api:${process}`),
    lasting: at('lasting'),
    schema: at('schema'),
  };
}
