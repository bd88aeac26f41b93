import { expect, test } from 'vitest';
import { catalogueAddresses } from './catalogue.ts';

const VENDOR = ['https://grsaiapi.com', 'https://grsai.dakka.com.cn'];

test.each<[string, readonly string[], readonly string[]]>([
  ['auto', VENDOR, VENDOR],
  ['auto', VENDOR.slice(1), VENDOR.slice(1)],
  ['auto', ['http://127.0.0.1:4100'], []],
  ['auto', [...VENDOR, 'https://proxy.example'], []],
  ['off', VENDOR, []],
  ['https://prices.example', ['http://127.0.0.1:4100'], ['https://prices.example']],
])('when GRSAI_CATALOGUE_URL is %s and calls go to %j then the list is asked for at %j', (setting, bases, addresses) => {
  expect(catalogueAddresses(setting, bases, VENDOR)).toEqual(addresses);
});
