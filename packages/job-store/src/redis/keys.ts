/**
 * Every key of the job records, under one hash tag so that a script's keys share a slot: `{gj}:…`. BullMQ has a tag
 * of its own (`{gj-q}`, packages/queue); no script touches both.
 */
export interface Keys {
  job(id: string): string;
  /** A part of its record that is no field of the hash: it can be long. */
  jobPart(id: string, part: 'doc' | 'out' | 'att'): string;
  /** Job id → the time by which something must have happened. */
  due: string;
  /** One stream of what happens to all jobs, for watchers. */
  events: string;
  /** Jobs with an in-flight call or a living task → the time after which they no longer count. */
  inflight: string;
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
  /** What belongs to a tenant itself, such as its sealed webhook secrets. */
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
  /** Lines of a batch that were left out, and why. */
  batchErrors(id: string): string;
  tenantBatches(tenant: string): string;
  /** Ended batches by the time of their end. */
  endedBatches: string;
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
  /** An operation: what it is and how far it has come. */
  operation(id: string): string;
  /** Operations → when they are due. */
  operations: string;
  /** In front of an API key's id: the requests of its minute. */
  rateLimit: string;
  /** A small key that readiness checks write. */
  health: string;
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
    batchErrors: (id) => at(`batch:${id}:errors`),
    tenantBatches: (tenant) => at(`tenant:${tenant}:batches`),
    endedBatches: at('ended:batches'),
    delivery: (id) => at(`delivery:${id}`),
    dueDeliveries: at('due:deliveries'),
    endpoint: (id) => at(`endpoint:${id}`),
    endpointAttempts: (id) => at(`endpoint:${id}:attempts`),
    endpointRoom: (id) => at(`endpoint:${id}:room`),
    host: (id) => at(`host:${id}`),
    rooms: at('rooms'),
    pendingDeliveries: at('pending:deliveries'),
    usage: at('usage'),
    erased: (id) => at(`erased:${id}`),
    inputNotes: at('input-notes'),
    idempotency: (tenant, route, key) => at(`idem:${tenant}:${route}:${key}`),
    apiKey: (hash) => at(`key:${hash}`),
    apiKeys: at('keys'),
    apiKeysUsed: at('keys-used'),
    tenants: at('tenants'),
    revoked: at('revoked'),
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
    operation: (id) => at(`operation:${id}`),
    operations: at('operations'),
    rateLimit: at('limit'),
    health: at('health'),
    schema: at('schema'),
  };
}
