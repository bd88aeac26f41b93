import { expect, test } from 'vitest';
import { isSigned, signingKey } from './signature.ts';

/** An example of Svix, who wrote Standard Webhooks. */
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const BODY = '{"test": 2432232314}';
const HEADERS = {
  'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  'webhook-timestamp': '1614265330',
  'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
};

test('when a webhook is signed by Standard Webhooks then it counts as signed, also beside another signature', () => {
  expect(isSigned(signingKey(SECRET), HEADERS, BODY)).toBe(true);
  const two = `v1,AAAA ${HEADERS['webhook-signature']}`;
  expect(isSigned(signingKey(SECRET), { ...HEADERS, 'webhook-signature': two }, BODY)).toBe(true);
});

test('when body, id or key are others, or nothing is signed, then it does not', () => {
  expect(isSigned(signingKey(SECRET), HEADERS, `${BODY} `)).toBe(false);
  expect(isSigned(signingKey(SECRET), { ...HEADERS, 'webhook-id': 'msg_2' }, BODY)).toBe(false);
  expect(isSigned(signingKey('whsec_AAAA'), HEADERS, BODY)).toBe(false);
  expect(isSigned(signingKey(SECRET), {}, BODY)).toBe(false);
});
