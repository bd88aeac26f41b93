import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { JobRecord, SignLink, StoredImage } from '@grsai-jobs/jobs';
import { base64Bytes, base64Of, type FetchedObject, type ObjectStore, ObjectStoreError } from '@grsai-jobs/object-store';
import type { Response } from 'express';
import { sendFinal } from './errors.ts';
import { endError, grsaiOf } from './held-jobs.ts';
import type { ImageFormat } from './image-request.ts';

export interface ImageAnswerDeps {
  objects: Pick<ObjectStore, 'get'>;
  sign: SignLink;
}

const imagesOf = ({ output }: JobRecord): StoredImage[] => (output?.kind === 'images' ? output.images : []);

/** What is said beside the images: which jobs they are of, and what of them came to nothing. */
function aboutJobs(jobs: readonly JobRecord[]) {
  const failed = jobs.filter(({ status }) => status !== 'succeeded');
  const lost = jobs.flatMap(({ output }) => (output?.kind === 'images' ? (output.lost ?? []) : []));
  return {
    ...grsaiOf(jobs),
    ...(failed.length > 0
      ? { failed: failed.map((job) => ({ job_id: job.id, code: endError(job).code, message: endError(job).message })) }
      : {}),
    ...(lost.length > 0 ? { lost } : {}),
  };
}

/** Answers the images of ended jobs: those that there are, or why there is none. */
export async function sendImages(
  o: ImageAnswerDeps,
  jobs: readonly JobRecord[],
  format: ImageFormat,
  response: Response,
): Promise<void> {
  const images = jobs.flatMap((job) => imagesOf(job).map((image) => ({ image, ttlS: job.doc.output.url_ttl_s })));
  const [first] = jobs.filter(({ status }) => status !== 'succeeded');
  const grsai = aboutJobs(jobs);
  if (images.length === 0) {
    const none = { status: 400, code: 'result_unavailable', message: 'The job has no images.' };
    sendFinal(response, first === undefined ? none : endError(first), { grsai });
    return;
  }
  const created = Math.floor(Math.max(...jobs.map((job) => job.finished_at ?? job.created_at)) / 1000);
  if (format === 'b64_json')
    return await sendBase64(
      o,
      images.map(({ image }) => image),
      { created, grsai },
      response,
    );
  const data = await Promise.all(images.map(async ({ image, ttlS }) => ({ url: (await o.sign(image.key, ttlS)).url })));
  response.json({ created, data, grsai });
}

/** How long the store may take to the first byte of an image. */
const TO_FIRST_BYTE_MS = 10_000;

/**
 * Images as base64 that passes through from the object store, one after another and no faster than it is taken. Its length is known
 * before, so that an answer that is cut never looks whole.
 */
async function sendBase64(
  o: ImageAnswerDeps,
  images: readonly StoredImage[],
  around: { created: number; grsai: object },
  response: Response,
): Promise<void> {
  const open = async ({ key }: StoredImage) => await o.objects.get(key, { signal: AbortSignal.timeout(TO_FIRST_BYTE_MS) });
  let first: FetchedObject | null;
  try {
    first = await open(images[0] as StoredImage);
  } catch (error) {
    if (!(error instanceof ObjectStoreError)) throw error;
    const message = 'The images are stored and cannot be read now. Read the job under /v1/jobs.';
    sendFinal(response, { status: 400, code: 'result_unavailable', message }, { grsai: around.grsai });
    return;
  }
  const head = `{"created":${around.created},"data":[`;
  const tail = `],"grsai":${JSON.stringify(around.grsai)}}`;
  const [before, after] = ['{"b64_json":"', '"}'];
  const own = (before.length + after.length) * images.length + images.length - 1;
  const bytes = images.reduce((sum, image) => sum + base64Bytes(image.bytes), 0);
  response.type('json').set('Content-Length', String(Buffer.byteLength(head + tail) + own + bytes));
  async function* parts() {
    yield head;
    for (const [n, image] of images.entries()) {
      yield `${n > 0 ? ',' : ''}${before}`;
      const { body } = first ?? (await open(image));
      first = null;
      yield* base64Of(body as AsyncIterable<Uint8Array>);
      yield after;
    }
    yield tail;
  }
  try {
    await pipeline(Readable.from(parts(), { objectMode: false }), response);
  } catch (error) {
    first?.body.destroy();
    if (!response.destroyed) response.destroy(error as Error);
  }
}
