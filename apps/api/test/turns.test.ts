import { randomBytes } from 'node:crypto';
import { JobRequest } from '@grsai-jobs/jobs';
import { createSliceQueue, systemTimers } from '@grsai-jobs/runtime';
import { expect, test } from 'vitest';
import { ndjsonItems } from '../src/http/batch-items.ts';
import { parseStrictJson } from '../src/http/strict-json.ts';
import { createUploadInputs } from '../src/use-cases/upload-inputs.ts';
import { tryJob } from '../src/validation/job.ts';

/** How often others had a turn while `work` was done. In one piece it is once, at its end. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let over = false;
  const count = () => {
    turns += 1;
    if (!over) setImmediate(count);
  };
  setImmediate(count);
  await work();
  over = true;
  return turns;
}

const slices = createSliceQueue();
const own = slices.of('acme');
const MIB = 1024 * 1024;
const PNG = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), randomBytes(11 * MIB)]);
const BASE64 = PNG.toString('base64');
const escaped = (mebibytes: number) => `"${'\\n'.repeat((mebibytes * MIB) / 2)}"`;
const imageJob = (picture: string) => ({ type: 'image', input: { model: 'm', prompt: 'p', images: [picture] } });
const longChat = {
  type: 'chat',
  input: { model: 'm', messages: Array.from({ length: 500 }, () => ({ role: 'user', content: 'x'.repeat(31_000) })) },
};

const keep = createUploadInputs({
  timers: systemTimers,
  objects: { putBytes: () => Promise.resolve({ key: '', bytes: 0, sha256: '' }), delete: async () => undefined },
  notes: { write: async () => undefined, forget: async () => undefined },
  slices,
  keyPrefix: '',
  limitMs: 60_000,
  log: { warn: () => undefined } as unknown as Parameters<typeof createUploadInputs>[0]['log'],
});
const kept = async (job: unknown) =>
  await keep({ ...JobRequest.parse(job), on_unknown_submit: 'fail' }, { id: 'job_1', tenant: 'acme', created_at: 0 });

async function linesOf(line: string) {
  const chunks = async function* () {
    for (let at = 0; at < line.length; at += 64 * 1024) yield Buffer.from(line.slice(at, at + 64 * 1024));
  };
  for await (const group of ndjsonItems(chunks(), own)) for (const item of group) expect(item.malformed).toBeUndefined();
}

test.each<[string, () => Promise<unknown>]>([
  ['a body of 20 MiB of escapes is read', () => parseStrictJson(Buffer.from(escaped(20)), own)],
  ['a line of 7 MiB of a batch is read', () => linesOf(escaped(7))],
  ['a picture of 11 MiB in lines is checked', () => tryJob(JobRequest, imageJob(BASE64.replace(/.{76}/g, '$&\n')), own)],
  [
    'a picture of 11 MiB with a foreign character is refused',
    () => tryJob(JobRequest, imageJob(`${BASE64.slice(0, -9)}!${BASE64.slice(-8)}`), own),
  ],
  ['a chat of 15 MiB is written', () => kept(longChat)],
])('when %s then others have their turn meanwhile', async (_what, work) => {
  expect(await turnsDuring(work)).toBeGreaterThan(2);
});
