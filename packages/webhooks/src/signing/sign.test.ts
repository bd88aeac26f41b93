import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { expect, test } from 'vitest';
import { newSecret } from './secrets.ts';
import { sign, signingKey } from './sign.ts';
import { verify, WebhookVerificationError } from './verify.ts';

const LIBRARIES = [
  ['standardwebhooks', Webhook],
  ['svix', SvixWebhook],
] as const;

/** The other side's libraries read the real clock, so what they verify is signed by it. */
const nowS = (): number => Math.floor(Date.now() / 1000);

test('the signature is the one of the specification’s example', () => {
  const headers = sign({
    secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    timestamp: 1614265330,
    body: '{"test": 2432232314}',
  });
  expect(headers).toEqual({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
});

test.each(LIBRARIES)('%s believes what we sign, whatever the body', (_, Library) => {
  const secret = newSecret();
  fc.assert(
    fc.property(fc.json(), (body) => {
      const headers = sign({ secrets: [secret], id: 'evt_1', timestamp: nowS(), body });
      expect(() => new Library(secret).verify(body, headers)).not.toThrow();
    }),
  );
});

test.each(LIBRARIES)('we believe what %s signs', (_, Library) => {
  const secret = newSecret();
  const at = new Date();
  const body = '{"word":"grüße"}';
  const headers = {
    'Webhook-Id': 'evt_1',
    'Webhook-Timestamp': String(Math.floor(at.getTime() / 1000)),
    'Webhook-Signature': new Library(secret).sign('evt_1', at, body),
  };
  expect(verify({ secrets: [secret], headers, body, now: at.getTime() })).toEqual({
    id: 'evt_1',
    timestamp: Math.floor(at.getTime() / 1000),
  });
});

test.each(LIBRARIES)('during a rotation a %s receiver with the old or the new secret believes the same webhook', (_, Library) => {
  const [fresh, old] = [newSecret(), newSecret()];
  const headers = sign({ secrets: [fresh, old], id: 'evt_1', timestamp: nowS(), body: '{}' });
  expect(headers['webhook-signature'].split(' ')).toHaveLength(2);
  expect(() => new Library(fresh).verify('{}', headers)).not.toThrow();
  expect(() => new Library(old).verify('{}', headers)).not.toThrow();
  expect(() => new Library(newSecret()).verify('{}', headers)).toThrow();
});

test('bytes and text of the same body are signed alike', () => {
  const secret = newSecret();
  expect(sign({ secrets: [signingKey(secret)], id: 'a', timestamp: 1, body: '{}' })).toEqual(
    sign({ secrets: [secret], id: 'a', timestamp: 1, body: '{}' }),
  );
  const of = (body: string | Uint8Array) => sign({ secrets: [secret], id: 'a', timestamp: 1, body });
  expect(of(new TextEncoder().encode('ü'))).toEqual(of('ü'));
});

test.each([Date.now(), 1.5, -1, Number.NaN])('the timestamp %d, which is not in whole seconds, is refused', (timestamp) =>
  expect(() => sign({ secrets: [newSecret()], id: 'a', timestamp, body: '' })).toThrow(RangeError),
);

test('without a secret nothing is signed', () =>
  expect(() => sign({ secrets: [], id: 'a', timestamp: 1, body: '' })).toThrow('at least one secret'));

const SECRET = newSecret();
const AT = 1_700_000_000;
const signed = { body: '{"a":1}', headers: sign({ secrets: [SECRET], id: 'evt_1', timestamp: AT, body: '{"a":1}' }) };
const problem = (change: Partial<Parameters<typeof verify>[0]>): string | undefined => {
  try {
    verify({ secrets: [SECRET], now: AT * 1000, ...signed, ...change });
    return undefined;
  } catch (error) {
    return error instanceof WebhookVerificationError ? error.code : String(error);
  }
};

test.each([
  ['as sent', {}, undefined],
  ['299 s later', { now: (AT + 299) * 1000 }, undefined],
  ['300 s later', { now: (AT + 300) * 1000 }, undefined],
  ['301 s later', { now: (AT + 301) * 1000 }, 'too_old'],
  ['300 s earlier', { now: (AT - 300) * 1000 }, undefined],
  ['301 s earlier', { now: (AT - 301) * 1000 }, 'too_new'],
  ['within a tolerance of its own', { now: (AT + 301) * 1000, toleranceS: 600 }, undefined],
  ['another body', { body: '{"a":2}' }, 'no_matching_signature'],
  ['another secret', { secrets: [newSecret()] }, 'no_matching_signature'],
  ['no secret', { secrets: [] }, 'no_matching_signature'],
  ['one of several secrets', { secrets: [newSecret(), SECRET] }, undefined],
  ['a secret without its prefix', { secrets: [SECRET.slice('whsec_'.length)] }, undefined],
  ['another id', { headers: { ...signed.headers, 'webhook-id': 'evt_2' } }, 'no_matching_signature'],
  ['another timestamp', { headers: { ...signed.headers, 'webhook-timestamp': String(AT + 1) } }, 'no_matching_signature'],
  ['a timestamp that is no number', { headers: { ...signed.headers, 'webhook-timestamp': `${AT}.0` } }, 'bad_timestamp'],
  ['no id', { headers: { ...signed.headers, 'webhook-id': '' } }, 'missing_header'],
  ['no headers', { headers: {} }, 'missing_header'],
  ['fetch headers', { headers: new Headers(signed.headers) }, undefined],
  ['header lists', { headers: Object.fromEntries(Object.entries(signed.headers).map(([k, v]) => [k, [v]])) }, undefined],
  [
    'an unknown version',
    { headers: { ...signed.headers, 'webhook-signature': signed.headers['webhook-signature'].replace('v1,', 'v1a,') } },
    'no_matching_signature',
  ],
  ['a short signature', { headers: { ...signed.headers, 'webhook-signature': 'v1,AAAA' } }, 'no_matching_signature'],
  [
    'a right signature among wrong ones',
    { headers: { ...signed.headers, 'webhook-signature': `v1,AAAA v2,x ${signed.headers['webhook-signature']}` } },
    undefined,
  ],
])('%s: %s', (_, change, expected) => expect(problem(change)).toBe(expected));
