import { expect, test } from 'vitest';
import { createLogger } from './logger.ts';

function lines() {
  const written: Record<string, unknown>[] = [];
  const destination = { write: (text: string) => void written.push(JSON.parse(text) as Record<string, unknown>) };
  return { written, log: createLogger({ name: 'test', level: 'info', pretty: false, destination }) };
}

test('when a line holds a secret or an input then it is redacted, in its own fields and one level below', () => {
  const { written, log } = lines();
  const fields = { job_id: 'job_1', prompt: 'a cat', headers: { authorization: 'Bearer gj_x', accept: '*/*' }, key: 'k' };
  log.info(fields, 'said');
  expect(written[0]).toMatchObject({
    job_id: 'job_1',
    prompt: '[redacted]',
    headers: { authorization: '[redacted]', accept: '*/*' },
    key: '[redacted]',
    msg: 'said',
  });
  expect(fields.prompt).toBe('a cat');
});

test('when a line has an error then it is reported with its stack, and what stands beside it is redacted', () => {
  const { written, log } = lines();
  log.info({ err: new Error('broken'), token: 't' }, 'said');
  const stack: unknown = expect.stringContaining('logger.test.ts');
  expect(written[0]).toMatchObject({ token: '[redacted]', err: { message: 'broken', stack } });
});
