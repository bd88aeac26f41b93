import { expect, test } from 'vitest';
import type { StoredImage } from './job/job.ts';
import { resultView } from './view.ts';

const image: StoredImage = { index: 1, content_type: 'image/png', bytes: 1, width: 1, height: 1, sha256: 'a', key: 'k' };
const sign = async (key: string) => ({ url: `https://s3.example/${key}`, expiresAt: 0 });

test('when some outputs were lost then the result says which and why, and nothing of it when none was', async () => {
  const lost = [{ index: 0, reason: 'HTTP 404' }];
  expect(await resultView({ kind: 'images', images: [image], lost }, 60, sign)).toMatchObject({
    images: [{ index: 1 }],
    lost,
  });
  expect(await resultView({ kind: 'images', images: [image] }, 60, sign)).not.toHaveProperty('lost');
});
