/** What is kept of a job from the start, by both peers: the same as a caller sends to our API, under an id. */
export interface PeerJob {
  readonly id: string;
  readonly type: 'chat' | 'image';
  readonly input: object;
  readonly metadata: Readonly<Record<string, string>>;
  readonly webhookUrl: string;
}

/** What a peer's worker talks to. */
export interface PeerWorld {
  readonly upstream: string;
  /** `whsec_…`, which signs the webhooks. */
  readonly secret: string;
  /** Where images are put; a worker of chats alone needs none. */
  readonly s3?: PeerBucket | undefined;
}

export interface PeerBucket {
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** How often a running task is asked after: as programs do that learn nothing. */
export const POLL_EVERY_MS = 3000;

/** As many as our worker: 50 chat calls and 50 webhook attempts. */
export const CONCURRENCY = { call: 50, submit: 20, deliver: 50 };

/** Attempts of a job before it is given up, and of its webhook. */
export const ATTEMPTS = { job: 4, webhook: 10 };

/** How a job ends. */
export type Outcome =
  | { readonly status: 'succeeded'; readonly result: unknown }
  | { readonly status: 'failed'; readonly error: { readonly message: string } };

export const failedBy = (error: unknown): Outcome => ({
  status: 'failed',
  error: { message: error instanceof Error ? error.message : String(error) },
});
