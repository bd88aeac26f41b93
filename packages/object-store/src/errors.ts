/** Why an object could not be stored or read, and whether the same call may succeed later with nobody doing anything. */
const CODES = {
  /** The store could not be reached, answered too late, or failed itself. */
  unavailable: { retryable: true },
  /** The store refuses us or the request: credentials, rights, bucket, settings. An operator has to act. */
  denied: { retryable: false },
  /** What arrived is not what was sent; it was removed again. */
  corrupt: { retryable: true },
  /** Over `maxBytes`, or over what the store takes. */
  too_large: { retryable: false },
  /** The caller's signal. */
  aborted: { retryable: true },
  /** The body broke, stopped short or ran over its announced length. Not the store's fault. */
  source: { retryable: true },
  not_found: { retryable: false },
} as const;

export type ObjectStoreErrorCode = keyof typeof CODES;

/** The one error of an `ObjectStore`; the original is its `cause`. */
export class ObjectStoreError extends Error {
  override name = 'ObjectStoreError';
  readonly code: ObjectStoreErrorCode;
  readonly retryable: boolean;

  constructor(code: ObjectStoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.retryable = CODES[code].retryable;
  }
}

/** S3 error codes whose meaning their HTTP status does not show; names as in the S3 API reference, "Error responses". */
const BY_NAME: Readonly<Record<string, ObjectStoreErrorCode>> = {
  BadDigest: 'corrupt',
  XAmzContentSHA256Mismatch: 'corrupt',
  XAmzContentChecksumMismatch: 'corrupt',
  CredentialsProviderError: 'denied',
  EntityTooLarge: 'too_large',
  IncompleteBody: 'unavailable',
  NoSuchBucket: 'denied',
  NoSuchUpload: 'unavailable',
  PermanentRedirect: 'denied',
  RequestTimeout: 'unavailable',
};

const BY_STATUS: Readonly<Record<number, ObjectStoreErrorCode>> = {
  404: 'not_found',
  408: 'unavailable',
  409: 'unavailable',
  413: 'too_large',
  429: 'unavailable',
};

/** What the SDK threw, as ours. */
export function fromSdk(error: unknown, what: string): ObjectStoreError {
  if (error instanceof ObjectStoreError) return error;
  const { name, message, $metadata } = error as { name?: string; message?: string; $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode;
  const code = BY_NAME[name ?? ''] ?? byStatus(status);
  const said = [name, status, message].filter((part) => part !== undefined && part !== '').join(' ');
  return new ObjectStoreError(code, `${what}: ${said}`, { cause: error });
}

function byStatus(status: number | undefined): ObjectStoreErrorCode {
  if (status === undefined) return 'unavailable';
  return BY_STATUS[status] ?? (status >= 300 && status < 500 ? 'denied' : 'unavailable');
}
