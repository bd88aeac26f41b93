import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { request } from 'undici';
import { answerQuestions } from '../lib/children.ts';

/** Each file is downloaded by undici and its body handed to the AWS SDK as it comes; nothing is looked at or proven. */
export interface BareStoreQuestion {
  readonly objects: string;
  readonly files: number;
  readonly atOnce: number;
}

answerQuestions(async ({ objects, files, atOnce }: BareStoreQuestion): Promise<void> => {
  const s3 = new S3Client({
    ...{ endpoint: objects, region: 'us-east-1', forcePathStyle: true },
    credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < files) {
      next += 1;
      const key = `${next}.png`;
      const { body, headers } = await request(`${objects}/files/${key}`);
      const ContentLength = Number(headers['content-length']);
      await s3.send(new PutObjectCommand({ Bucket: 'bench', Key: key, Body: body, ContentLength, ContentType: 'image/png' }));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
});
