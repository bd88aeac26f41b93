import type { JobOutput } from './job/job.ts';

/** Bytes that an output takes in the object store. */
export function outputBytes(output: JobOutput): number {
  if (output.kind === 'chat') return 0;
  return output.kind === 'chat_file' ? output.bytes : output.images.reduce((sum, { bytes }) => sum + bytes, 0);
}
