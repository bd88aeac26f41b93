import { existsSync, readFileSync } from 'node:fs';
import { capture, step, Trouble, tail } from './steps.mjs';

// What the service needs. Both programs answer `--version` with `v=7.0.15`.
const OLDEST = { 'redis-server': [7, 0], 'valkey-server': [7, 2] };

const PULL_MS = 300_000;

const LINES = {
  darwin: 'brew install redis',
  debian: 'sudo apt-get update && sudo apt-get install -y redis-server',
  fedora: 'sudo dnf install -y valkey',
  alpine: 'sudo apk add redis',
  arch: 'sudo pacman -S --noconfirm valkey',
  suse: 'sudo zypper install -y redis',
};

/**
 * Makes sure that a Redis can be started here, and resolves with how: the first of `servers` on the PATH, else `docker` when
 * that works, else a server that apt installs when this is root. Starts none; whoever needs a Redis does.
 */
export async function ensureRedis(servers) {
  const found = await onPath(servers);
  if (found) return found;
  if ((await dockerWorks()) && (await haveImage())) return 'docker';
  if (process.getuid?.() === 0 && system() === 'debian') {
    await step('Redis (apt-get install redis-server)', install);
    const installed = await onPath(servers);
    if (installed) return installed;
    throw new Trouble(`The redis-server of this system is older than 7.0.\n${advice()}`);
  }
  throw new Trouble(`Redis 7.0 or newer is missing.\n${advice()}`);
}

async function onPath(servers) {
  for (const program of servers) {
    const [major, minor] = OLDEST[program];
    const { code, output } = await capture(program, ['--version'], { timeoutMs: 10_000 });
    const version = /v=(\d+)\.(\d+)/.exec(output);
    if (code !== 0 || !version) continue;
    if (Number(version[1]) > major || (Number(version[1]) === major && Number(version[2]) >= minor)) return program;
  }
  return undefined;
}

async function dockerWorks() {
  const commands = [['info'], ['compose', 'version']];
  for (const args of commands) {
    const { code } = await capture('docker', args, { timeoutMs: 10_000 });
    if (code !== 0) return false;
  }
  return true;
}

/** Pulls the image of docker/compose.yaml unless it is there; false when it cannot be had. */
async function haveImage() {
  const compose = ['compose', '-f', 'docker/compose.yaml'];
  const config = await capture('docker', [...compose, 'config', '--format', 'json']);
  if (config.code !== 0) return false;
  const { image } = JSON.parse(config.output).services.redis;
  process.env.REDIS_IMAGE = image; // the tests start their containers from the same one
  if ((await capture('docker', ['image', 'inspect', image])).code === 0) return true;
  const pull = async (show) => {
    const { code } = await capture('docker', [...compose, 'pull', 'redis'], { onLine: show, timeoutMs: PULL_MS });
    if (code !== 0) throw new Trouble();
  };
  return step(`Redis (docker pull ${image})`, pull).then(
    () => true,
    () => false,
  );
}

async function install(show) {
  // RUNLEVEL=1 keeps the package from starting a Redis of the system: ours runs on its own, from .data/.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', 'redis-server']]) {
    const { code, output } = await capture('apt-get', args, { env, onLine: show });
    if (code !== 0) throw new Trouble(`${tail(output)}\n\napt-get ${args[0]} failed.\n${advice()}`);
  }
}

function system() {
  if (process.platform !== 'linux' || !existsSync('/etc/os-release')) return process.platform;
  const release = readFileSync('/etc/os-release', 'utf8');
  const names = [...release.matchAll(/^(?:ID|ID_LIKE)="?([^"\n]*)/gm)].flatMap((match) => match[1].split(' '));
  const families = {
    debian: ['debian', 'ubuntu'],
    fedora: ['fedora', 'rhel', 'centos'],
    alpine: ['alpine'],
    arch: ['arch'],
    suse: ['suse', 'opensuse'],
  };
  return Object.keys(families).find((family) => families[family].some((name) => names.includes(name))) ?? 'linux';
}

function advice() {
  const line = LINES[system()];
  const rest = 'Or start Docker, or set REDIS_URL to a Redis that you have, and run the same command again.';
  return line ? `Install it with:\n\n  ${line}\n\n${rest}` : `Install it with the package manager of your system. ${rest}`;
}
