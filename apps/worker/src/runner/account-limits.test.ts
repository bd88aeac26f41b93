import { expect, test } from 'vitest';
import { accountLimits } from './account-limits.ts';

const reserveOf = (GRSAI_MAX_IN_FLIGHT: number, GRSAI_CALL_RESERVE: number | 'auto') =>
  accountLimits({ GRSAI_MAX_IN_FLIGHT, GRSAI_CALL_RESERVE, GRSAI_RPM: 60, TENANT_MAX_IN_FLIGHT: 0 }, 50).callReserve;

test.each([
  { most: 200, asked: 'auto', reserve: 20 },
  { most: 11, asked: 'auto', reserve: 2 },
  { most: 2, asked: 'auto', reserve: 1 },
  { most: 1, asked: 'auto', reserve: 0 },
  { most: 200, asked: 0, reserve: 0 },
  { most: 200, asked: 199, reserve: 199 },
  { most: 0, asked: 'auto', reserve: 0 },
  { most: 0, asked: 5, reserve: 0 },
] as const)('when $most may be in flight and the reserve is $asked then tasks leave $reserve to calls', (o) => {
  expect(reserveOf(o.most, o.asked)).toBe(o.reserve);
});
