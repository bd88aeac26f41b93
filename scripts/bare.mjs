#!/usr/bin/env node
// The way in on a machine that has Node and npm and nothing else: `npm run demo`, `npm start`, `npm test`.
// Installs what is missing, says what it does, then hands over to the TypeScript entry under Node 24.
// Plain JavaScript without dependencies, since it runs before any of them is there.

const OLDEST_NODE = 20;

const HELP = {
  demo: `npm run demo [-- --jobs N]

Brings up the whole service with stand-ins for what is not configured, sends chat and image jobs
through it, verifies every webhook and every image, writes .data/demo/gallery.html and stops again.
Exit code 0 only if everything was right.

  --jobs N   jobs of each type (default 12), for example: npm run demo -- --jobs 3

Set GRSAI_API_KEY to use the real Grsai API: its images are then paid for.`,
  start: `npm start

Runs the API and the worker. Whatever the environment (or a file .env) does not configure gets a local
stand-in that keeps its state in .data/: Redis, an S3 server, an emulator of the Grsai API, keys.
A second one beside it takes other ports and .data/2. Ctrl-C stops everything. The variables are in .env.example.

  npm start                                 with stand-ins for everything
  GRSAI_API_KEY=sk-… npm start              with the real Grsai API, which is paid for
  PORT=8081 npm start`,
  test: `npm test [-- vitest arguments]

Type check, lint and all tests (unit, integration, e2e). The arguments go to vitest:
  npm test -- packages/jobs        only the tests of one folder
  npm test -- -t "webhook"         only the tests with that name`,
};

/** Options that a command takes; `test` hands on whatever comes. */
const OPTIONS = { demo: { jobs: { type: 'string' } }, start: {} };

const [command, ...args] = process.argv.slice(2);

if (!Object.hasOwn(HELP, command ?? '')) {
  console.error('usage: node scripts/bare.mjs demo|start|test [arguments]');
  process.exit(2);
}
if (args.includes('--help') || args.includes('-h')) {
  console.log(HELP[command]);
  process.exit(0);
}
if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
  console.error(`Node ${process.versions.node} is too old: this needs Node ${OLDEST_NODE} or newer (https://nodejs.org).`);
  process.exit(1);
}

if (Object.hasOwn(OPTIONS, command)) {
  const { parseArgs } = await import('node:util');
  try {
    parseArgs({ args, options: OPTIONS[command] });
  } catch (error) {
    console.error(`${error.message}\n\n${HELP[command]}`);
    process.exit(2);
  }
}

const { prepareAndRun } = await import('./bare/main.mjs');
process.exitCode = await prepareAndRun(command, args);
