/** For runtimes.test.ts: a bit of everything, by what was built. The address of the build and of a service come as arguments. */
const [, , dist, baseUrl, folder] = globalThis.process.argv;
const { GrsaiJobs, imagesOf, textOf } = await import(`${dist}/index.js`);
const { download } = await import(`${dist}/node/index.js`);
const { verifyWebhook } = await import(`${dist}/webhooks/index.js`);
await import(`${dist}/webhooks/express.js`);

const client = new GrsaiJobs({ baseUrl, apiKey: 'gj_test' });
const job = await client.jobs.run({ type: 'chat', input: { model: 'm', messages: [] } });

async function* items() {
  for (let n = 0; n < 2_000; n += 1)
    yield { custom_id: `item-${n}`, type: 'image', input: { prompt: `${Math.sin(n)} ${'boat '.repeat(n % 50)}` } };
}
const batch = await client.batches.create(items());
const rows = [];
for await (const row of client.batches.results(batch.id)) rows.push(row.custom_id);
const [image] = imagesOf(await client.jobs.get('job_1'));
const file = await download(client, image, `${folder}/boat.png`);

const signature = await fetch(`${baseUrl}/sign`).then((response) => response.json());
const event = await verifyWebhook(signature.body, signature.headers, signature.secret);
const refused = await verifyWebhook(`${signature.body} `, signature.headers, signature.secret).catch(({ code }) => code);
const slow = await client.jobs.get('slow', { timeoutMs: 100 }).catch(({ name }) => name);

console.log(JSON.stringify({ text: textOf(job), lines: batch.lines, rows, bytes: file.bytes, event: event.type, refused, slow }));
