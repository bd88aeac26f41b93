// The S3 stand-in: `node scripts/stack/s3-server.ts <port> <dir> <bucket>`. It keeps its objects as files in <dir>.
import { subscribe } from 'node:diagnostics_channel';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type buildApp, startFauxqs } from 'fauxqs';

/** The largest object that the service stores, and a little for the framing of chunks. */
const BODY_LIMIT = 68 * 1024 * 1024;

const [port, dir, bucket] = process.argv.slice(2);
if (port === undefined || dir === undefined || bucket === undefined) throw new Error('usage: s3-server.ts <port> <dir> <bucket>');

// fauxqs takes bodies up to 11 MiB, listens on all addresses and checks no key, and has options for none of it.
// Fastify, on which it is built, announces each server on this channel before its routes are made.
subscribe('fastify.initialization', (message) => {
  const { fastify } = message as { fastify: ReturnType<typeof buildApp> };
  fastify.addHook('onRoute', (route) => {
    route.bodyLimit = BODY_LIMIT;
  });
  fastify.addHook('onRequest', (request, reply, done) => {
    if (['127.0.0.1', '::1', '::ffff:127.0.0.1'].includes(request.ip)) done();
    else reply.code(403).send('for this machine only');
  });
});

const server = await startFauxqs({ port: Number(port), logger: false, s3StorageDir: dir });
if (!existsSync(join(dir, 'buckets', bucket))) server.createBucket(bucket);

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void server.stop().then(() => process.exit(0)));
