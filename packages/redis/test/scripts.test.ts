import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startRedis } from '@grsai-jobs/testkit';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { createScripts, defineScript } from '../src/index.ts';

const LIBRARY = {
  reads: `local function both(hash) return { redis.call('HGET', hash, 'st'), redis.call('GET', hash .. ':doc') } end\n`,
  writes: '',
};

async function luaFile(text: string): Promise<URL> {
  const folder = await mkdtemp(join(tmpdir(), 'lua-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'tried.lua'), text);
  return pathToFileURL(join(folder, 'tried.lua'));
}

async function connected() {
  const server = await startRedis();
  const redis = new Redis(server.url);
  onTestFinished(async () => {
    redis.disconnect();
    await server.stop();
  });
  return { redis, run: createScripts(redis, LIBRARY) };
}

test('given a script with named keys and arguments when it runs then its Lua has each by its name', async () => {
  const { run } = await connected();
  const lua = await luaFile(
    `return { K.job, K.batch or 'no batch', #K.jobs, K.jobs[2] or 'no job', A.step, A.by or 'nobody', #A.fields, A.fields[1] or 'no field' }`,
  );
  const script = defineScript({ lua, keys: ['job', 'batch?', '...jobs'], args: ['step', 'by?', '...fields'], whenFull: 'runs' });
  const jobs = Array.from({ length: 3000 }, (_, i) => `{x}:j${i}`);
  const fields = Array.from({ length: 9000 }, (_, i) => i);

  const given = await run(script, { job: '{x}:a', batch: '{x}:b', jobs }, { step: 7, by: 'me', fields });
  expect(given).toEqual(['{x}:a', '{x}:b', 3000, '{x}:j1', '7', 'me', 9000, '0']);
  const leftOut = await run(script, { job: '{x}:a', batch: null, jobs: [] }, { step: 0, by: null, fields: [] });
  expect(leftOut).toEqual(['{x}:a', 'no batch', 0, 'no job', '0', 'nobody', 0, 'no field']);
});

test.for([
  ['return { K.job, K.bacth }', 'uses K.bacth'],
  ['return { K.job, A.id, A.of }', 'uses A.of'],
  ['return K.job -- A.id', 'does not use A.id'],
  ['return { K.job, A.id, ARGV[2] }', 'by position'],
] as const)('given the Lua `%s` when it is declared then it is refused', async ([text, why]) => {
  const lua = await luaFile(text);
  expect(() => defineScript({ lua, keys: ['job'], args: ['id'], whenFull: 'runs' })).toThrow(why);
});

test('given a full Redis when scripts run then only those write that may, and one of them only for what is paid', async () => {
  const { redis, run } = await connected();
  const lua = await luaFile(`return redis.call('SET', K.at, 'x')`);
  const [runs, fails, ifPaid] = (['runs', 'fails', 'runs_if_paid'] as const).map((whenFull) =>
    defineScript({ lua, keys: ['at'], whenFull }),
  );
  if (!runs || !fails || !ifPaid) throw new Error('three scripts');
  await redis.config('SET', 'maxmemory', '1');

  expect(await run(runs, { at: 'a' }, {})).toBe('OK');
  await expect(run(fails, { at: 'a' }, {}, { paid: true })).rejects.toThrow('OOM');
  await expect(run(ifPaid, { at: 'a' }, {})).rejects.toThrow('OOM');
  expect(await run(ifPaid, { at: 'a' }, {}, { paid: true })).toBe('OK');
});

test('given a Redis that takes no writes when a script that reads runs then it is answered, and it can write nothing anywhere', async () => {
  const { redis, run } = await connected();
  const define = async (text: string) => defineScript({ lua: await luaFile(text), keys: ['job'], whenFull: 'reads' });
  const [reads, writes] = [await define('return both(K.job)'), await define(`return redis.call('SET', K.job, 'x')`)];
  await redis.hset('{x}:a', 'st', 'queued');
  await redis.set('{x}:a:doc', 'asked');
  await expect(run(writes, { job: '{x}:a' }, {})).rejects.toThrow('Write commands are not allowed');
  await redis.config('SET', 'min-replicas-to-write', '1');
  await expect(redis.set('x', 'x')).rejects.toThrow('NOREPLICAS');
  expect(await run(reads, { job: '{x}:a' }, {})).toEqual(['queued', 'asked']);
});
