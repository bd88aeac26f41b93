// Makes the bucket of S3_BUCKET where it is missing, and waits for a server that is still starting. Needs nothing but
// the S3 client of packages/object-store, so that it does not matter which server it is.
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';

const require = createRequire(new URL('../packages/object-store/package.json', import.meta.url));
const { CreateBucketCommand, HeadBucketCommand, S3Client } = require('@aws-sdk/client-s3');

// As the apps read them: what stands around a value does not matter.
const names = ['S3_BUCKET', 'S3_ENDPOINT', 'S3_REGION', 'S3_FORCE_PATH_STYLE'];
const [Bucket, endpoint, region, pathStyle = ''] = names.map((name) => process.env[name]?.trim());
const s3 = new S3Client({
  region: region || 'us-east-1',
  forcePathStyle: /^(true|yes|on|1)$/i.test(pathStyle),
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
