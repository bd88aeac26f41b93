import { Readable } from 'node:stream';
import type { BatchRecord, JobRecord } from '@grsai-jobs/jobs';
import { ObjectStoreError } from '@grsai-jobs/object-store';
import { expect, test } from 'vitest';
import { outputPieces } from './batch-output.ts';

const job = (id: string, output: object): JobRecord =>
  ({
    ...{ id, custom_id: id.slice(4), status: 'succeeded', line: 1, run: 1, created_at: 1, finished_at: 2000, output },
    doc: { input: { model: 'm' }, images_as: 'b64_json', output: { url_ttl_s: 60 } },
  }) as JobRecord;

const image = (key: string) => ({ kind: 'images', images: [{ key, index: 0, bytes: 2 }] });
const chat = (key: string) => ({ kind: 'chat_file', key });

/** The lines of a batch whose jobs have these outputs, in a store that has lost, or does not answer for, some keys. */
async function linesOf(outputs: readonly object[], trouble: Readonly<Record<string, 'not_found' | 'unavailable'>>) {
  const jobs = outputs.map((output, n) => job(`job_${n}`, output));
  const pieces = outputPieces(
    {
      batches: {
        jobIds: async () => jobs.map(({ id }) => id),
        heads: async (ids) => ids.map((id) => ({ id, status: 'succeeded', line: 1, finished_at: 1, bytes: 1 })),
        records: async () => jobs as never,
        positionBehind: () => 0,
      },
      objects: {
        get: async (key) => {
          const code = trouble[key];
          if (code !== undefined) throw new ObjectStoreError(code, 'trouble');
          return { body: Readable.from([Buffer.from('ok')]) };
        },
      },
      readCompletion: async (output) => {
        const code = output.kind === 'chat_file' ? trouble[output.key] : undefined;
        if (code !== undefined) return { kind: code === 'not_found' ? 'gone' : 'away' };
        return { kind: 'read', completion: { choices: [{ message: { content: 'hi' } }] } };
      },
      sign: async () => ({ url: '', expires_at: 0 }) as never,
    },
    { id: 'batch_1', passed_over: 0 } as BatchRecord,
    'output',
  );
  let text = '';
  for await (const piece of pieces) text += Buffer.from(piece as string).toString();
  const lines = text.trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as { custom_id: string; response: { status_code: number; body: object } });
}

test('when a stored answer of a batch is gone then its line says so, and the others are read', async () => {
  const lines = await linesOf([image('a'), image('lost'), chat('b'), chat('lost'), image('c')], { lost: 'not_found' });
  expect(lines.map(({ custom_id, response }) => [custom_id, response.status_code])).toEqual([
    ['0', 200],
    ['1', 400],
    ['2', 200],
    ['3', 400],
    ['4', 200],
  ]);
  expect(lines[1]?.response.body).toMatchObject({ error: { code: 'result_unavailable' }, grsai: { job_id: 'job_1' } });
  expect(lines[4]?.response.body).toMatchObject({ data: [{ b64_json: Buffer.from('ok').toString('base64') }] });
});

test.each([image('away'), chat('away')])(
  'when a stored answer cannot be read for now then the lines break off: %j',
  async (output) => {
    await expect(linesOf([image('a'), output], { away: 'unavailable' })).rejects.toThrow();
  },
);
