import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { Grsai, isTerminal } from '@grsai-jobs/grsai';

const grsai = new Grsai({
  apiKey: process.env['GRSAI_API_KEY'] ?? '',
  baseUrls: process.env['GRSAI_BASE_URLS']?.split(','), // leave out for the two nodes of Grsai
});

// Keep id and base: a task can be queried only on the node that accepted it.
const task = await grsai.images.submit({
  model: 'nano-banana-2',
  prompt: 'a paper lighthouse',
  aspectRatio: '4:3',
  imageSize: '1K',
});

let state = await grsai.images.result(task.id, { base: task.base });
while (!isTerminal(state)) {
  await wait(Number(process.env['POLL_MS'] ?? 5000));
  state = await grsai.images.result(task.id, { base: task.base });
}

// Links expire after two hours.
for (const [index, url] of state.urls.entries()) {
  const file = await grsai.images.download(url);
  await pipeline(file.chunks, createWriteStream(`lighthouse-${index}.${file.contentType.split('/')[1]}`));
  console.log(`lighthouse-${index}: ${file.contentType}`);
}

console.log(`task ${state.status}`);
await grsai.close();
