import type { Job, JobOutput } from '@grsai-jobs/jobs';
import { sha256 } from './picture.ts';
import type { World } from './world.ts';

/** An input that is an object of its own is there as long as its job. */
export function checkInput(world: World, name: string, job: Job): void {
  const key = job.doc.stored_input?.$object;
  if (key !== undefined && !world.bucket.objects.has(key)) world.violation(`its input ${key} is not in the object store`, name);
}

/** What has succeeded has its result: what upstream made for it, all of it, and where it says it is. */
export function checkOutput(world: World, name: string, job: Job): void {
  if (job.status !== 'succeeded') return;
  const { output } = job;
  if (output === null || output === undefined) world.violation('succeeded without a result', name);
  else if (output.kind === 'chat') checkText(world, name, JSON.stringify(output.completion));
  else if (output.kind === 'chat_file') {
    const bytes = checkObject(world, name, output);
    if (bytes !== undefined) checkText(world, name, Buffer.from(bytes).toString('utf8'));
  } else {
    checkLinks(world, name, job, output);
    for (const image of output.images) checkObject(world, name, image);
  }
}

function checkText(world: World, name: string, text: string): void {
  if (!text.includes(`an answer to ${name}`)) world.violation(`has the answer of another: ${text.slice(0, 500)}`, name);
}

function checkObject(world: World, name: string, { key, sha256: hash }: { key: string; sha256: string }): Uint8Array | undefined {
  const kept = world.bucket.objects.get(key);
  if (kept === undefined) world.violation(`its result ${key} is not in the object store`, name);
  else if (sha256(kept.bytes) !== hash) world.violation(`its result ${key} is not what was stored`, name);
  return kept?.bytes;
}

/** Each picture of its task is kept, or can never be had. */
function checkLinks(world: World, name: string, { task }: Job, output: Extract<JobOutput, { kind: 'images' }>): void {
  const links = world.upstream.tasks.get(task?.id ?? '')?.links ?? [''];
  const lost = output.lost ?? [];
  const named = [...output.images, ...lost].map(({ index }) => index).sort();
  if (named.join() !== links.map((_, index) => index).join()) world.violation(`has pictures ${named} of ${links.length}`, name);
  for (const { index, reason } of lost)
    if (!world.upstream.broken.has(links[index] ?? '')) world.violation(`its picture ${index} was given up: ${reason}`, name);
}
