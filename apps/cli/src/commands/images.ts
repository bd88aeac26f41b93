import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { defineCommand, option } from '../command.ts';
import type { Context } from '../context.ts';
import { forEachId } from '../each.ts';
import { CliError } from '../exit.ts';
import { type Image, imagesOf, type Job, jobPath } from '../jobs.ts';
import { bytes } from '../output/format.ts';

export const images = defineCommand<{ dir: string }>({
  usage: 'images <job...>',
  about: 'Save the images of jobs in a folder',
  details: 'Files are named <job>-<n>.<type>. Each is checked against the SHA-256 of the job before it gets its name.',
  examples: [
    ['images job_01KB…', 'here'],
    ['list --batch batch_01KB… --status succeeded --all --json | jq -r .id | xargs pnpm jobs images --dir out', 'of a batch'],
  ],
  options: [option('--dir <folder>', 'where to; made when it is not there').default('.')],
  run: async (context, { dir }, ids) => {
    await mkdir(dir, { recursive: true });
    return await forEachId(context, ids, async (id) => {
      const found = imagesOf(await context.api.get<Job>(jobPath(id)));
      if (found.length === 0) throw new CliError('failed', `${id} has no images (yet)`);
      for (const image of found) {
        const file = join(dir, `${id}-${image.index}.${EXTENSIONS[image.content_type] ?? 'bin'}`);
        await save(context, id, image, file);
        await context.out.row(
          { job_id: id, index: image.index, file, bytes: image.bytes },
          () => `${file}  ${bytes(image.bytes)}`,
        );
      }
    });
  },
});

const EXTENSIONS: Readonly<Record<string, string>> = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/webp': 'webp',
  'image/gif': 'gif',
  'image/avif': 'avif',
  'image/heic': 'heic',
  'image/heif': 'heif',
  'image/jxl': 'jxl',
  'image/svg+xml': 'svg',
  'image/bmp': 'bmp',
  'image/tiff': 'tif',
  'video/mp4': 'mp4',
  'video/webm': 'webm',
};

async function save({ api }: Context, id: string, image: Image, file: string): Promise<void> {
  // The key stays here: fetch leaves it out when it follows the redirect to another origin.
  const response = await api.send('GET', `${jobPath(id)}/images/${image.index}`, {
    headers: { accept: '*/*' },
    redirected: true,
  });
  const hash = createHash('sha256');
  const part = `${file}.part`;
  await pipeline(
    Readable.fromWeb(response.body ?? new ReadableStream()),
    async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(part),
  );
  if (hash.digest('hex') !== image.sha256)
    throw new CliError('failed', `${file} did not arrive as it was stored; it is left as ${part}`);
  await rename(part, file);
}
