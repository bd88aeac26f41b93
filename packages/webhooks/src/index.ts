export { ATTEMPT_WAITS_MS, JITTER, type NextAttempt, nextAttempt, type ReceiverAnswer } from './delivery/schedule.ts';
export { createKeyring, type Keyring } from './signing/keyring.ts';
export { createSecretBox, type SecretBox, SecretBoxError } from './signing/secret-box.ts';
export { type DatedSecret, livingSecrets, newSecret, rotateSecrets, secretId, WebhookSecretError } from './signing/secrets.ts';
export { type Signable, sign, signingKey, type WebhookHeaders } from './signing/sign.ts';
export {
  type IncomingHeaders,
  type Verifiable,
  type VerificationProblem,
  verify,
  WebhookVerificationError,
} from './signing/verify.ts';
