import { expect, test } from 'vitest';
import { type FakeHost, fakeHost } from '../test/fake-host.ts';
import { run } from './program.ts';

interface Sent {
  method: string | undefined;
  url: string;
  headers: Headers;
  body: unknown;
}

/** Answers each request in turn, the last one for ever. */
function service(...answers: (() => Response)[]) {
  const sent: Sent[] = [];
  const answer: typeof fetch = async (input, init) => {
    const body = typeof init?.body === 'string' ? (JSON.parse(init.body) as unknown) : undefined;
    sent.push({ method: init?.method, url: String(input), headers: new Headers(init?.headers), body });
    init?.signal?.throwIfAborted();
    return (answers[Math.min(sent.length, answers.length) - 1] as () => Response)();
  };
  return { fetch: answer, sent };
}

const ok =
  (body: unknown, status = 200) =>
  () =>
    Response.json(body, { status });
const problem =
  (status: number, headers: Record<string, string> = {}) =>
  () =>
    Response.json({ title: 'No', code: 'no', detail: 'Because.', request_id: 'r1' }, { status, headers });

const JOB = { id: 'job_1', status: 'queued', run: 1 };

async function jobs(args: readonly string[], o: Parameters<typeof fakeHost>[0] = {}): Promise<FakeHost & { code: number }> {
  const fake = fakeHost(o);
  return { ...fake, code: await run(args, fake.host) };
}

test('when there are more groups of failures than are shown then it is reported', async () => {
  const group = { count: 3, code: 'internal', stage: 'queued', text: 'x', id: 'sig_1', samples: [], retryable: true };
  const { fetch } = service(ok({ data: [group], next_cursor: null, groups: 40, jobs: 90 }));
  const { code, stderr } = await jobs(['failures', '--limit', '1'], { fetch });
  expect(code).toBe(0);
  expect(stderr()).toContain('90 jobs in 40 groups; the largest 1 is shown, --limit (to 100) shows more.');
});

const USAGE: readonly (readonly [string[], string])[] = [
  [['submit'], '--chat <text>'],
  [['submit', '--chat', 'a', '--image', 'b', '--model', 'm'], '--chat <text>'],
  [['submit', '--chat', 'a'], '--model is missing'],
  [['submit', '--chat', 'a', '--model', 'm', '--aspect-ratio', '4:3'], '--aspect-ratio is for --image'],
  [['submit', '--image', 'a', '--model', 'm', '--system', 'x'], '--system is for --chat'],
  [['submit', '--image', 'a', '--model', 'm', '--input-image', '/nowhere.png'], '/nowhere.png cannot be read'],
  [['submit', '--chat', 'a', '--model', 'm', '--webhook-events', 'job.failed'], '--webhook-events needs --webhook-url'],
  [['submit', 'request.json', '--model', 'm'], '--model cannot be given together with a file'],
  [['submit', '/nowhere.json'], '/nowhere.json cannot be read'],
  [['submit', '--chat', 'a', '--model', 'm', '--priority', 'urgent'], 'Allowed choices are low, normal, high'],
  [['submit', '--chat', 'a', '--model', 'm', '--expires-in', 'soon'], '--expires-in <span>'],
  [['get'], "missing required argument 'job'"],
  [['get', 'a', 'b'], 'too many arguments'],
  [['list', '--nope'], "unknown option '--nope'"],
  [['lsit'], 'Did you mean list?'],
  [['list', '--api', 'service'], 'must be an http(s) URL'],
  [['list', '--api', 'http://127.0.0.1:8080/v1/'], 'must end before /v1'],
  [['list', '--key', 'ключ'], 'visible ASCII'],
  [['list', '--key', 'Bearer gj_key'], 'without "Bearer"'],
  [['list', '--key', '"gj_key"'], 'without quotes'],
  [['delete', 'job_1'], '--yes'],
  [['batch', 'submit', '/nowhere.ndjson'], '/nowhere.ndjson cannot be read'],
  [['batch', 'submit', '-', '--results', '/nowhere/out.ndjson'], '/nowhere/out.ndjson cannot be written'],
];

test.each(USAGE)('when the line is %j then the end is 2, nothing is sent, and the reason is reported', async (args, reason) => {
  const { code, stdout, stderr } = await jobs(args);
  expect({ code, stdout: stdout() }).toEqual({ code: 2, stdout: '' });
  expect(stderr()).toContain(reason);
});

test('when there is no key then the end is 2 and says where to put it', async () => {
  const { code, stderr } = await jobs(['list'], { env: { GRSAI_JOBS_KEY: '' } });
  expect(code).toBe(2);
  expect(stderr()).toContain('GRSAI_JOBS_KEY');
});

test.each([
  [401, 4],
  [403, 4],
  [404, 1],
  [409, 1],
  [422, 1],
  [429, 3],
  [500, 3],
  [503, 3],
])(
  'when the service refuses with %d then the end is %d, and the reason with the request id stands on stderr',
  async (status, exit) => {
    const { code, stdout, stderr } = await jobs(['get', 'job_1'], { fetch: service(problem(status)).fetch });
    expect({ code, stdout: stdout() }).toEqual({ code: exit, stdout: '' });
    expect(stderr()).toContain(`Error: No (${status} no)\n  Because.\n  request id: r1\n`);
  },
);

test('when a GET is refused for a moment then it is sent again after Retry-After', async () => {
  const { fetch, sent } = service(problem(503, { 'retry-after': '7' }), problem(429, { 'retry-after': '3' }), ok(JOB));
  const { code, pauses } = await jobs(['get', 'job_1', '--json'], { fetch });
  expect({ code, pauses, tries: sent.length }).toEqual({ code: 0, pauses: [7500, 4000], tries: 3 });
});

test('when a job is sent and the answer is lost then it is sent again under the same key', async () => {
  const lost = () => {
    throw new TypeError('fetch failed', { cause: new Error('ECONNRESET') });
  };
  const { fetch, sent } = service(lost, ok(JOB, 202));
  const { code, stdout } = await jobs(['submit', '--chat', 'Hi', '--model', 'm'], { fetch });
  expect({ code, stdout: stdout() }).toEqual({ code: 0, stdout: 'job_1\n' });
  const [first, second] = sent.map(({ headers }) => headers.get('idempotency-key'));
  expect(first).toMatch(/^[\w-]{36}$/);
  expect(second).toBe(first);
});

test('when a POST without a key is refused for a moment then it is not sent again', async () => {
  const { fetch, sent } = service(problem(503, { 'retry-after': '1' }));
  expect(await jobs(['resend', 'evt_1'], { fetch })).toMatchObject({ code: 3 });
  expect(sent).toHaveLength(1);
});

test('when the service stays away then the end is 3, and the key that makes another call harmless is reported', async () => {
  const { code, stderr, pauses } = await jobs(['submit', '--chat', 'Hi', '--model', 'm', '--idempotency-key', 'k1'], {
    fetch: async () => {
      throw new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') });
    },
  });
  expect({ code, pauses }).toEqual({ code: 3, pauses: [500, 1000, 2000, 4000, 8000] });
  expect(stderr()).toMatch(/could not be reached, or its answer was cut: connect ECONNREFUSED[\s\S]*--idempotency-key k1/);
});

test('when the address is that of something else then the end says so: HTML, or a redirect that would turn a POST into a GET', async () => {
  const page = await jobs(['list'], { fetch: service(() => new Response('<html>')).fetch });
  expect({ code: page.code, stderr: page.stderr() }).toEqual({
    code: 3,
    stderr: expect.stringContaining('Is http://service the address'),
  });
  const moved = service(() => new Response(null, { status: 301, headers: { location: 'https://service/v1/jobs' } }));
  const { code, stderr } = await jobs(['submit', '--chat', 'Hi', '--model', 'm'], { fetch: moved.fetch });
  expect({ code, stderr: stderr() }).toEqual({
    code: 1,
    stderr: expect.stringContaining('It points to https://service/v1/jobs'),
  });
  expect(moved.sent).toHaveLength(1);
});

test('when Ctrl-C was pressed then the end is 130', async () => {
  const fake = fakeHost({ fetch: service(ok(JOB)).fetch });
  fake.interrupt();
  expect(await run(['get', 'job_1'], fake.host)).toBe(130);
  expect(fake.stderr()).toBe('Stopped.\n');
});

test('when a chat or an image is sent by flags then the body is the one that the API takes', async () => {
  const { fetch, sent } = service(ok(JOB, 202));
  const common = ['--metadata', 'a=b', '--metadata', 'c=d', '--priority', 'high', '--expires-in', '15m', '--max-attempts', '2'];
  await jobs(['submit', '--chat', '-', '--system', 'Be brief', '--model', 'm', ...common], { fetch, input: 'Hi' });
  await jobs(
    [
      'submit',
      '--image',
      'a',
      '--model',
      'n',
      '--aspect-ratio',
      '4:3',
      '--image-size',
      '2K',
      '--input-image',
      'https://a/b,c.png',
    ]
      .concat('--via', 'generations', '--webhook-url', 'https://c/h', '--webhook-events', 'job.failed,job.expired')
      .concat('--on-unknown-submit', 'resubmit', '--resubmit-failed', 'never', '--fallback-models', 'o,p'),
    { fetch },
  );
  expect(sent.map(({ body }) => body)).toEqual([
    {
      type: 'chat',
      input: {
        model: 'm',
        messages: [
          { role: 'system', content: 'Be brief' },
          { role: 'user', content: 'Hi' },
        ],
      },
      metadata: { a: 'b', c: 'd' },
      priority: 'high',
      expires_in_s: 900,
      max_attempts: 2,
    },
    {
      type: 'image',
      input: { model: 'n', prompt: 'a', images: ['https://a/b,c.png'], aspect_ratio: '4:3', image_size: '2K' },
      via: 'generations',
      webhook: { url: 'https://c/h', events: ['job.failed', 'job.expired'] },
      on_unknown_submit: 'resubmit',
      resubmit_failed: 'never',
      fallback_models: ['o', 'p'],
    },
  ]);
});

test('when a JSON request is sent then flags go over it, and its metadata stays', async () => {
  const { fetch, sent } = service(ok(JOB, 202));
  const input = JSON.stringify({ type: 'chat', priority: 'low', metadata: { a: '1', b: '1' } });
  await jobs(['submit', '-', '--priority', 'high', '--metadata', 'b=2'], { fetch, input });
  expect(sent[0]?.body).toEqual({ type: 'chat', priority: 'high', metadata: { a: '1', b: '2' } });
  expect(await jobs(['submit', '-'], { fetch, input: '[]' })).toMatchObject({ code: 2 });
  expect(await jobs(['submit', '-'], { fetch, input: '{' })).toMatchObject({ code: 2 });
});

test('when a list is filtered then the query names it as the API does, and pages are followed to the limit', async () => {
  const page = (data: unknown[], next_cursor: string | null) => ok({ object: 'list', data, next_cursor });
  const { fetch, sent } = service(page([{ id: 'a' }], 'c1'), page([], 'c2'), page([{ id: 'b' }, { id: 'c' }], 'c3'));
  const filters = [
    '--status',
    'failed,expired',
    '--batch',
    'batch_1',
    '--metadata',
    'a=b&c',
    '--since',
    '2026-05-01',
    '--limit',
    '3',
  ];
  const { stdout } = await jobs(['list', '--json', ...filters], { fetch });
  expect(stdout()).toBe('{"id":"a"}\n{"id":"b"}\n{"id":"c"}\n');
  const query = 'limit=3&status=failed%2Cexpired&batch_id=batch_1&created_after=2026-05-01T00%3A00%3A00.000Z&metadata.a=b%26c';
  expect(sent.map(({ url }) => url.replace('http://service/v1/jobs?', ''))).toEqual([
    query,
    `${query}&cursor=c1`,
    `${query}&cursor=c2`,
  ]);
});

test('when one of several jobs is refused then the others are done all the same', async () => {
  const { fetch, sent } = service(problem(409), ok({ ...JOB, status: 'canceled' }));
  const { code, stdout, stderr } = await jobs(['cancel', 'job_0', 'job_1'], { fetch });
  expect({ code, stdout: stdout(), sent: sent.length }).toEqual({ code: 1, stdout: 'job_1 canceled\n', sent: 2 });
  expect(stderr()).toContain('job_0: No (409 no)');
});

test('when an id holds a slash then it stays one part of the path', async () => {
  const { fetch, sent } = service(problem(404));
  await jobs(['get', '../admin/v1/keys'], { fetch });
  expect(sent[0]?.url).toBe('http://service/v1/jobs/..%2Fadmin%2Fv1%2Fkeys');
});

test('when stdout is a terminal then there are colours, unless NO_COLOR says no', async () => {
  const { fetch } = service(ok({ ...JOB, status: 'canceled' }));
  const esc = String.fromCharCode(27);
  expect((await jobs(['cancel', 'job_1'], { fetch, isTTY: true })).stdout()).toContain(`${esc}[33mcanceled`);
  expect((await jobs(['cancel', 'job_1'], { fetch, isTTY: true, env: { NO_COLOR: '1' } })).stdout()).toBe('job_1 canceled\n');
  expect((await jobs(['cancel', 'job_1'], { fetch })).stdout()).toBe('job_1 canceled\n');
});

/** The names below the line `Commands:` or a group of a help text. */
const namesIn = (help: string): string[] =>
  [...help.matchAll(/^ {2}([a-z][a-z-]*)(?: [<[…][^ ]*)* {2,}\S/gm)].map(([, name]) => name ?? '');

test('when --help is asked of any command then it is a success with examples, exit codes once at the top', async () => {
  const top = await jobs(['--help']);
  expect(top.code).toBe(0);
  expect(top.stdout()).toMatch(/Exit codes:\n {2}0 +done/);
  const names = namesIn(top.stdout()).map((name) => [name]);
  for (const name of names) {
    const help = await jobs([...name, '--help']);
    expect(help.code).toBe(0);
    const below = namesIn(help.stdout()).map((each) => [...name, each]);
    if (!help.stdout().includes('Commands:')) expect(help.stdout()).toMatch(/Examples:\n {2}# .*\n {2}\$ pnpm jobs /);
    else names.push(...below);
  }
  expect(names.map((name) => name.join(' '))).toEqual(
    expect.arrayContaining(['submit', 'watch', 'batch submit', 'bulk requeue', 'queues pause']),
  );
});
