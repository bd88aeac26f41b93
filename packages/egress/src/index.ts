export { type AddressRules, createAddressRules, FORBIDDEN_RANGES } from './address-rules.ts';
export { ANSWER_BYTES } from './answer-text.ts';
export { type Download, type DownloadOptions, download } from './download.ts';
export { createEgress, type Egress, type EgressOptions } from './egress.ts';
export { EgressError, type EgressErrorCode, isRetryable, type Phase } from './errors.ts';
export type { OwnService } from './own-services.ts';
export { type PostRequest, type PostResult, postOnce } from './post.ts';
export { createResolver, type Resolve } from './resolver.ts';
export { MAX_URL_LENGTH, type UrlProblem } from './url-rules.ts';
