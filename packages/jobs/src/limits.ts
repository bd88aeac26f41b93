/** Limits of what callers send; each has a number, a message and a test. Sizes in bytes or characters, times in seconds. */
export const LIMITS = {
  prompt: 32_000,
  model: 128,
  messages: 1000,
  parts: 100,
  /** Of an image job, by address and inline. */
  images: 64,
  /** Sequences at which a chat stops. */
  stop: 4,
  url: 2048,
  inlineImages: 16,
  inlineImageBytes: 16 * 1024 * 1024,
  /** An inline image that is larger goes to the object store. */
  recordImageBytes: 32 * 1024,
  /** An input whose JSON is larger goes to the object store. */
  recordInputBytes: 32 * 1024,
  metadataPairs: 16,
  metadataKey: 64,
  metadataValue: 512,
  fallbackModels: 3,
  attempts: { min: 1, max: 10, default: 4 },
  expiresInS: { min: 60, max: 172_800, default: 86_400 },
  urlTtlS: { min: 60, max: 604_800, default: 86_400 },
  page: { min: 1, max: 100, default: 20 },
  inlineCompletionBytes: 16 * 1024,
  /** Attempts that cost nothing: failed polls, stores, refusals that used up none. */
  attemptsKept: 20,
  /** Attempts that may have been paid for: ten runs of ten. */
  paidAttemptsKept: 100,
  batch: {
    lines: 50_000,
    /** Of a body of lines, decoded; of the items of a JSON body with their defaults. */
    bytes: 200_000_000,
    lineBytes: 8 * 1024 * 1024,
    /** Items of the JSON form. */
    items: 1000,
    /** Wrong fields that a 422 reports. */
    errorsReported: 1000,
    /** Bad lines in the 202 of a batch that skips them. */
    linesShown: 100,
  },
} as const;

/** Tenants stand as they are in S3 keys. */
export const TENANT = /^[a-z0-9-]{1,32}$/;
