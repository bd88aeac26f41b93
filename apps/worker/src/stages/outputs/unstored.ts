import type { Output } from '@grsai-jobs/grsai';
import type { UnstoredOutput } from '@grsai-jobs/jobs';

/** Outputs of a task as a record keeps them: links as they are; bytes stay where they are until the store stage asks for them. */
export const unstoredOf = (outputs: readonly Output[]): UnstoredOutput[] =>
  outputs.map((output) => (output.kind === 'link' ? { url: output.url } : {}));
