import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { freePort, redisBinary, startRedis } from '@grsai-jobs/testkit';
import { Redis } from 'ioredis';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { connectRedis } from '../src/index.ts';

const dir = mkdtempSync(join(tmpdir(), 'tls-'));
const usual = tls.getCACertificates('default');
afterAll(() => {
  tls.setDefaultCACertificates(usual);
  rmSync(dir, { recursive: true });
});

/** A certificate for 127.0.0.1 that nobody has signed, if this machine can make one. */
function makeCertificate(): boolean {
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const files = ['-keyout', join(dir, 'key.pem'), '-out', join(dir, 'cert.pem')];
  try {
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject, ...files], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}

describe.runIf((await redisBinary()) && makeCertificate())('with TLS', () => {
  async function startWithTls(more: readonly string[] = []) {
    const port = await freePort();
    const files = [
      '--tls-cert-file',
      join(dir, 'cert.pem'),
      '--tls-key-file',
      join(dir, 'key.pem'),
      '--tls-ca-cert-file',
      join(dir, 'cert.pem'),
    ];
    const args = ['--tls-port', String(port), '--tls-auth-clients', 'no', ...files, ...more];
    const server = await startRedis({ args }, { ...process.env, TEST_REDIS_URL: '' });
    onTestFinished(() => server.stop());
    const admin = new Redis(server.url);
    onTestFinished(() => admin.disconnect());
    await admin.call('ACL', 'SETUSER', 'jobs', 'on', '>p@ss', '~*', '&*', '+@all');
    return { admin, port };
  }
  const user = 'jobs:p%40ss@127.0.0.1';

  /** A Sentinel that speaks TLS alone, to servers too. */
  async function startSentinel(binary: string, primary: number): Promise<number> {
    const port = await freePort();
    const config = join(dir, `sentinel-${port}.conf`);
    const files = `tls-cert-file ${join(dir, 'cert.pem')}\ntls-key-file ${join(dir, 'key.pem')}\ntls-ca-cert-file ${join(dir, 'cert.pem')}`;
    const own = `port 0\ntls-port ${port}\nbind 127.0.0.1\ndir ${dir}\ntls-auth-clients no\ntls-replication yes\n${files}`;
    const rules = [`monitor jobs 127.0.0.1 ${primary} 1`, 'down-after-milliseconds jobs 1000', 'failover-timeout jobs 3000'];
    writeFileSync(config, [own, ...rules.map((rule) => `sentinel ${rule}`), ''].join('\n'));
    const child = spawn(binary, [config, '--sentinel'], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    await new Promise<void>((resolve, reject) => {
      child.once('exit', () => reject(new Error('the Sentinel ended at once')));
      child.stdout.on('data', (said: Buffer) => said.includes('Sentinel ID is') && resolve());
    });
    return port;
  }
  const o = { onError: () => undefined, tag: '{gj}', waitMs: 2000 };

  test('when nobody has signed the certificate then the sentence says so, and with its authority both kinds of address work', async () => {
    const { port } = await startWithTls();
    await expect(connectRedis(`rediss://${user}:${port}`, 'consumer', { ...o, waitMs: 500 })).rejects.toThrow(
      /self-signed certificate/,
    );
    tls.setDefaultCACertificates([...usual, readFileSync(join(dir, 'cert.pem'), 'utf8')]);
    const redis = await connectRedis(`rediss://${user}:${port}`, 'consumer', o);
    onTestFinished(() => redis.disconnect());
    expect(await redis.call('ACL', 'WHOAMI')).toBe('jobs');
  });

  test('when servers and Sentinels speak TLS alone then the primary is found and spoken to by it, also after a failover', async () => {
    tls.setDefaultCACertificates([...usual, readFileSync(join(dir, 'cert.pem'), 'utf8')]);
    const replicates = ['--tls-replication', 'yes'];
    const first = await startWithTls(replicates);
    const second = await startWithTls([...replicates, '--replicaof', '127.0.0.1', String(first.port)]);
    await expect.poll(() => first.admin.info('replication')).toMatch(/state=online/);
    const port = await startSentinel((await redisBinary()) ?? '', first.port);
    const redis = await connectRedis(`rediss+sentinel://${user}:${port}/jobs`, 'consumer', { ...o, waitMs: 10_000 });
    onTestFinished(() => redis.disconnect());
    const at = async () => /laddr=127.0.0.1:(\d+)/.exec(String(await redis.call('CLIENT', 'INFO')))?.[1];
    expect(await redis.incr('{gj}:a')).toBe(1);
    expect(await redis.wait(1, 10_000)).toBe(1);
    expect(await at()).toBe(String(first.port));

    const sentinel = new Redis({ host: '127.0.0.1', port, tls: {} });
    onTestFinished(() => sentinel.disconnect());
    const ordered = () =>
      sentinel.call('SENTINEL', 'FAILOVER', 'jobs').then(
        () => true,
        () => false,
      );
    await expect.poll(ordered, { interval: 500 }).toBe(true);
    await expect.poll(() => second.admin.info('replication')).toMatch(/role:master/);
    // Until the Sentinels have told the one before, it takes what is lost with it.
    await expect.poll(at).toBe(String(second.port));
    expect(await redis.incr('{gj}:a')).toBe(2);
  }, 60_000);

  test('when the nodes of a Cluster speak TLS then the owner of a slot is found and spoken to by it', async () => {
    tls.setDefaultCACertificates([...usual, readFileSync(join(dir, 'cert.pem'), 'utf8')]);
    const { admin, port } = await startWithTls(['--cluster-enabled', 'yes', '--tls-cluster', 'yes']);
    await admin.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383);
    await expect.poll(() => admin.call('CLUSTER', 'INFO')).toContain('cluster_state:ok');
    const redis = await connectRedis(`rediss+cluster://${user}:${port}`, 'consumer', { ...o, waitMs: 10_000 });
    onTestFinished(() => redis.disconnect());
    expect(await redis.set('{gj}:a', '1')).toBe('OK');
    expect(String(await redis.call('CLIENT', 'INFO'))).toContain(`laddr=127.0.0.1:${port}`);
  });
});
