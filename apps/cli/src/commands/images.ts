import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { extensionOf, imagesOf } from '@grsai-jobs/client';
import { download } from '@grsai-jobs/client/node';
import { defineCommand, option } from '../command.ts';
import { forEachId } from '../each.ts';
import { CliError } from '../exit.ts';
import { bytes } from '../output/format.ts';

export const images = defineCommand<{ dir: string }>({
  usage: 'images <job...>',
  about: 'Save the images of jobs in a folder',
  details:
    'Files are named <job>-<n>.<type>. Each is checked against the SHA-256 of the job before it gets its name; one that is there already is not fetched.',
  examples: [
    ['images job_01KB…', 'here'],
    ['list --batch batch_01KB… --status succeeded --all --json | jq -r .id | xargs pnpm jobs images --dir out', 'of a batch'],
  ],
  options: [option('--dir <folder>', 'where to; made when it is not there').default('.')],
  run: async (context, { dir }, ids) => {
    await mkdir(dir, { recursive: true });
    return await forEachId(context, ids, async (id) => {
      const found = imagesOf(await context.client.jobs.get(id));
      if (found.length === 0) throw new CliError('failed', 'it has no images (yet)');
      for (const image of found) {
        const file = join(dir, `${id}-${image.index}.${extensionOf(image)}`);
        await download(context.client, image, file, { signal: context.host.interrupt });
        await context.out.row(
          { job_id: id, index: image.index, file, bytes: image.bytes },
          () => `${file}  ${bytes(image.bytes)}`,
        );
      }
    });
  },
});
