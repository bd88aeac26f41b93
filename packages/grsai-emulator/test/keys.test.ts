import { describe, expect, test } from 'vitest';
import { ask, json, KEY, start, TASK_MS } from './client.ts';

const LIMITED = 'sk-limited0000000000000000000000000';
const image = { model: 'nano-banana-2', prompt: 'x', replyType: 'async' };
const as = (key: string): Readonly<Record<string, string>> => ({ authorization: `Bearer ${key}` });

describe('the quota of a key and the money of the account', () => {
  const both = async (options: object, key = KEY): Promise<unknown[]> => {
    const { post, get } = await start({ credits: 48_200, ...options });
    return [
      await post('/client/openapi/getAPIKeyCredits', { apiKey: key }),
      await get(`/client/common/getCredits?apikey=${key}`),
    ].map((reply) => json<{ data: unknown }>(reply).data);
  };

  test.each<[string, object, unknown, unknown]>([
    ['no quota is set, then both show the account', {}, { credits: 48_200 }, { credits: 48_200 }],
    ['the key is unlimited, then its call shows 0', { keyQuota: 'unlimited' }, { credits: 0 }, { credits: 48_200 }],
    ['all keys have a quota, then its call shows that', { keyQuota: 700 }, { credits: 700 }, { credits: 48_200 }],
    [
      'one key has a quota and an end, then its call shows both',
      { keyQuota: 'unlimited', apiKeys: { [KEY]: { quota: 90, expireTime: 2_000_000_000 } } },
      { credits: 90, expireTime: 2_000_000_000 },
      { credits: 48_200 },
    ],
    ['amounts are fractions', { creditsAs: 'fraction' }, { credits: 48_200.25 }, { credits: 48_200.25 }],
    ['amounts are texts', { creditsAs: 'string', keyQuota: 'unlimited' }, { credits: '0' }, { credits: '48200' }],
    ['amounts are both', { creditsAs: 'fraction-string' }, { credits: '48200.25' }, { credits: '48200.25' }],
  ])('when %s', async (_name, options, quota, account) => {
    expect(await both(options)).toEqual([quota, account]);
  });

  test('when a limited key spends, then its quota shrinks with the account, and a refund gives both back', async () => {
    const { emulator, post, submit } = await start({ credits: 10_000, apiKeys: { [LIMITED]: { quota: 2000 } } });
    const left = async (): Promise<unknown> =>
      json<{ data: { credits: number } }>(await post('/client/openapi/getAPIKeyCredits', { apiKey: LIMITED })).data.credits;
    await submit('x [[outcome=failed]]', as(LIMITED));
    expect([await left(), emulator.ledger.credits]).toEqual([800, 8800]);
    const refused = await post('/v1/api/generate', image, as(LIMITED));
    expect([refused.status, json(refused)]).toEqual([400, { id: '', status: 'failed', error: 'apikey credits not enough' }]);
    await submit('y', as(KEY));
    await emulator.advance(TASK_MS);
    expect([await left(), emulator.ledger.credits]).toEqual([2000, 8800]);
  });
});

describe('a key that is refused', () => {
  const PAST = { apiKeys: { [LIMITED]: { expireTime: 1_700_000_000 } } };
  const CALLS: readonly [string, object][] = [
    ['/v1/api/generate', image],
    ['/v1/chat/completions', { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'x' }] }],
    ['/v1/images/generations', { model: 'nano-banana-2', prompt: 'x' }],
  ];

  test.each<[string, string, string]>([
    ['is missing', '', 'apikey is empty'],
    ['is of another kind', 'Bearer token-1', 'apikey not found'],
    ['has expired', `Bearer ${LIMITED}`, 'apikey expired'],
  ])('when it %s, then each paid call is a 400 that says so', async (_name, authorization, text) => {
    const { emulator, post } = await start(PAST);
    for (const [path, body] of CALLS) {
      const reply = await post(path, body, { authorization });
      expect([path, reply.status, reply.text.includes(`"${text}"`)]).toEqual([path, 400, true]);
    }
    expect(emulator.ledger.submits.map(({ outcome, error }) => [outcome, error])).toEqual(CALLS.map(() => ['bad_key', text]));
  });

  test.each([
    ['empty', 'apikey is empty'],
    ['not-found', 'apikey not found'],
    ['expired', 'apikey expired'],
  ])('when F1 says %s, then a good key meets it', async (form, text) => {
    const { post } = await start();
    expect(json(await post('/v1/api/generate', { ...image, prompt: `x [[fault=F1:as=${form}]]` }))).toEqual({
      id: '',
      status: 'failed',
      error: text,
    });
  });

  test('when the side calls are given none, then they say so', async () => {
    const { emulator, get, post } = await start();
    expect(json(await post('/client/openapi/getAPIKeyCredits', {}))).toMatchObject({ code: -1, msg: 'apikey is empty' });
    expect(json(await get('/client/common/getCredits'))).toMatchObject({ code: -1, msg: 'apikey is empty' });
    expect((await ask(`${emulator.url}/client/common/getCredits?apikey=other`)).text).toContain('apikey not found');
  });
});
