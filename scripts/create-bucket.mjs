// Makes the bucket of S3_BUCKET where it is missing, and waits for a server that is still starting. Needs nothing but
// the S3 client of packages/object-store, so that it does not matter which server it is.
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';

const require = createRequire(new URL('../packages/object-store/package.json', import.meta.url));
const { CreateBucketCommand, HeadBucketCommand, S3Client } = require('@aws-sdk/client-s3');

const { S3_BUCKET: Bucket, S3_ENDPOINT: endpoint, S3_REGION: region, S3_FORCE_PATH_STYLE } = process.env;
const s3 = new S3Client({
  region: region || 'us-east-1',
  forcePathStyle: S3_FORCE_PATH_STYLE === 'true',
  ...(endpoint ? { endpoint } : {}),
});

const WAIT_MS = 60_000;
const deadline = performance.now() + WAIT_MS;
for (;;) {
  try {
    await ensure();
    break;
  } catch (error) {
    if (performance.now() > deadline) throw error;
    await sleep(500);
  }
}

async function ensure() {
  try {
    await s3.send(new HeadBucketCommand({ Bucket }));
    console.log(`bucket ${Bucket} is there`);
  } catch (error) {
    if (error.$metadata?.httpStatusCode !== 404) throw error;
    await s3.send(new CreateBucketCommand({ Bucket }));
    console.log(`bucket ${Bucket} was made`);
  }
}
