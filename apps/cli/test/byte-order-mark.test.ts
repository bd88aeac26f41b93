import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commandLine, folder } from './command-line.ts';
import { json, startService } from './fake-service.ts';

const REQUEST = { type: 'chat', input: { model: 'm', messages: [{ role: 'user', content: 'grüße' }] } };
const TEXT = `\ufeff${JSON.stringify(REQUEST)}`;

test.each([
  ['UTF-8', Buffer.from(TEXT)],
  ['UTF-16, as PowerShell writes it', Buffer.from(TEXT, 'utf16le')],
  ['UTF-16 the other way round', Buffer.from(TEXT, 'utf16le').swap16()],
])(
  'when a request begins with a byte order mark of %s then it is read without it, from a file and from stdin',
  async (_what, bytes) => {
    const file = join(await folder(), 'request.json');
    await writeFile(file, bytes);
    const service = await startService((_taken, response) => json(response, 202, { id: 'job_1', status: 'queued' }));
    const jobs = commandLine(service.url);
    await jobs(['submit', file]);
    await jobs(['submit', '-'], { input: bytes });
    expect(service.requests.map(({ body }) => JSON.parse(body))).toEqual([REQUEST, REQUEST]);
  },
);
