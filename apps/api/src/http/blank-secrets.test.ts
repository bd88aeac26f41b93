import { expect, test } from 'vitest';
import { createBlankSecrets } from './blank-secrets.ts';

const blank = createBlankSecrets(['admin key/with+odd signs 123', undefined, '']);
const KEY = `gj_${'aZ09_-'.repeat(7)}x`;

test.each([
  [`/v1/jobs/${KEY}`, '/v1/jobs/gj_…'],
  [`/v1/jobs/${KEY.replace('_', '%5F')}/cancel`, '/v1/jobs/gj_…/cancel'],
  [`/v1/jobs/%67j_${KEY.slice(3)}`, '/v1/jobs/gj_…'],
  [`/v1/jobs/${KEY}/${KEY}/images`, '/v1/jobs/gj_…/gj_…/images'],
  [`/a?key=${KEY}&b=1`, '/a?key=gj_…&b=1'],
  [`There is no GET /${KEY}.`, 'There is no GET /gj_….'],
  ['/x/whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', '/x/whsec_…'],
  ['/x/sk-0123456789abcdef', '/x/sk-…'],
  ['/x/admin key/with+odd signs 123', '/x/…'],
  ['/x/admin%20key%2Fwith%2Bodd%20signs%20123', '/x/…'],
  ['/x/%61dmin%20key%2Fwith%2Bodd%20signs%20123/y', '/x/…/y'],
  ['/v1/jobs/job_01ARZ3NDEKTSV4RRFFQ69G5FAV', '/v1/jobs/job_01ARZ3NDEKTSV4RRFFQ69G5FAV'],
  ['/%zz/%E4', '/%zz/%E4'],
  ['/a%20b', '/a%20b'],
])('when a text is %s then it is shown as %s', (text, shown) => {
  expect(blank(text)).toBe(shown);
});
