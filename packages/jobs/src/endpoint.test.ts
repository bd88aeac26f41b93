import { expect, test } from 'vitest';
import { endpointOf } from './endpoint.ts';

test.each([
  ['https://example.com/hooks', 'https://example.com:443/hooks'],
  ['https://EXAMPLE.com:443/hooks?job=1#x', 'https://example.com:443/hooks'],
  ['https://example.com./hooks', 'https://example.com:443/hooks'],
  ['http://example.com', 'http://example.com:80/'],
  ['http://example.com:8080/a/../b', 'http://example.com:8080/b'],
  ['https://Bücher.example/', 'https://xn--bcher-kva.example:443/'],
  ['http://[::1]:3000/x', 'http://[::1]:3000/x'],
])('%s belongs to the endpoint %s', (url, endpoint) => expect(endpointOf(url)).toBe(endpoint));

test('scheme, port and path tell endpoints apart', () => {
  const urls = [
    'https://a.example/x',
    'http://a.example/x',
    'https://a.example:8443/x',
    'https://a.example/X',
    'https://b.example/x',
  ];
  expect(new Set(urls.map(endpointOf)).size).toBe(urls.length);
});

test('what is no URL throws', () => expect(() => endpointOf('nonsense')).toThrow(TypeError));
