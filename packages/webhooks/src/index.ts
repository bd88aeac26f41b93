export { MAX_RETRY_AFTER_MS, parseRetryAfter } from './delivery/retry-after.ts';
export { JITTER, type NextTry, nextTry, type ReceiverAnswer, TRY_WAITS_MS } from './delivery/schedule.ts';
export { type AddressRules, createAddressRules, FORBIDDEN_RANGES } from './egress/address-rules.ts';
export { ANSWER_BYTES } from './egress/answer-text.ts';
export { type Download, type DownloadOptions, download } from './egress/download.ts';
export { createEgress, type Egress, type EgressOptions } from './egress/egress.ts';
export { EgressError, type EgressErrorCode, isRetryable, type Phase } from './egress/errors.ts';
export type { OwnService } from './egress/own-services.ts';
export { type PostRequest, type PostResult, postOnce } from './egress/post.ts';
export { createResolver, type Resolve } from './egress/resolver.ts';
export { MAX_URL_LENGTH, type UrlProblem } from './egress/url-rules.ts';
export { createKeyring, type Keyring } from './signing/keyring.ts';
export { createSecretBox, type SecretBox, SecretBoxError } from './signing/secret-box.ts';
export { type DatedSecret, livingSecrets, newSecret, rotateSecrets, secretId, WebhookSecretError } from './signing/secrets.ts';
export { type Signable, sign, type WebhookHeaders } from './signing/sign.ts';
export {
  type IncomingHeaders,
  type Verifiable,
  type VerificationProblem,
  verify,
  WebhookVerificationError,
} from './signing/verify.ts';
