export { base64Bytes, base64Of } from './base64-stream.ts';
export { ObjectStoreError, type ObjectStoreErrorCode } from './errors.ts';
export { factsOf, HEAD_BYTES, type MediaFacts, NotMedia, peekFacts } from './image-facts.ts';
export { Ending } from './media/ending.ts';
export type { FetchedObject, ObjectStore, PutBytesOptions, PutOptions, SignedLink, StoredObject } from './object-store.ts';
export { createObjectStore, type ObjectStoreOptions } from './s3-object-store.ts';
