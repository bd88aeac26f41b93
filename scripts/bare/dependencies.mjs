import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { root } from './paths.mjs';
import { capture, step, Trouble, tail } from './steps.mjs';

const NODE_MAJOR = 24;
const PNPM = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')).packageManager;
// `npm run --silent` must not swallow the reason of a failure, and without a network npm would wait for more than a minute.
const NPM_SETTINGS = {
  npm_config_loglevel: 'notice',
  npm_config_fetch_retries: '3',
  npm_config_fetch_retry_mintimeout: '1000',
  npm_config_fetch_retry_maxtimeout: '5000',
};

const INSTALLED = new URL('.data/installed', root);

/** Installs the locked dependencies unless they are there already; resolves with the path of Node 24, which is one of them. */
export async function ensureDependencies() {
  const wanted = fingerprint();
  if (!(existsSync(INSTALLED) && readFileSync(INSTALLED, 'utf8') === wanted && findNode())) {
    await step(`dependencies (${PNPM}, Node ${NODE_MAJOR})`, install);
    mkdirSync(new URL('.', INSTALLED), { recursive: true });
    writeFileSync(INSTALLED, wanted);
  }
  const node = findNode();
  if (!node) throw new Trouble('Node 24 is missing after the installation. Remove the folder node_modules and run this again.');
  return node;
}

// The platform is part of it: a folder that is shared between a host and a container holds binaries of one of them.
function fingerprint() {
  const hash = createHash('sha256');
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml']) hash.update(readFileSync(new URL(file, root)));
  return `${hash.digest('hex')} node${NODE_MAJOR} ${process.platform}-${process.arch}\n`;
}

function findNode() {
  const places = ['node_modules/node/bin/node', 'node_modules/node/bin/node.exe', 'node_modules/.bin/node'];
  const found = places.map((place) => new URL(place, root)).find((place) => existsSync(place));
  return found && fileURLToPath(found);
}

async function install(show) {
  // No terminal here, so pnpm must not stop to ask whether it may replace a node_modules of another version.
  const pnpm = 'pnpm install --frozen-lockfile --reporter=append-only --config.confirmModulesPurge=false';
  const { code, output } = await capture('npx', ['-y', '-p', `node@${NODE_MAJOR}`, '-p', PNPM, '-c', quoted(pnpm)], {
    onLine: show,
    env: { ...process.env, ...NPM_SETTINGS },
  });
  if (code !== 0) throw new Trouble(explain(code, output));
}

const quoted = (text) => (process.platform === 'win32' ? `"${text}"` : text);

/** Says what a failed installation means, by the words that npm and pnpm leave behind. */
function explain(code, output) {
  const rows = [
    [
      /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT|fetch failed|ERR_PNPM_META_FETCH_FAIL/,
      'The npm registry cannot be reached. Check the network, a proxy (HTTPS_PROXY), or: npm config get registry',
    ],
    [
      /SELF_SIGNED_CERT|UNABLE_TO_(GET|VERIFY)|CERT_/,
      'The certificate of the npm registry is not trusted here. Behind a proxy that opens TLS, set NODE_EXTRA_CA_CERTS.',
    ],
    [/ENOSPC/, 'The disk is full.'],
    [/EACCES|EPERM/, 'A file cannot be written. Does this folder, or the npm cache (~/.npm), belong to another user?'],
    [/OUTDATED_LOCKFILE/, 'pnpm-lock.yaml does not match package.json. After a change of dependencies run: npx pnpm install'],
  ];
  if (code === 127) return 'npx was not found. It comes with npm; install Node with npm from https://nodejs.org';
  const reason = rows.find(([words]) => words.test(output))?.[1] ?? 'The dependencies could not be installed.';
  return `${tail(output)}\n\n${reason}`;
}
