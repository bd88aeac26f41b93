import { type JobDoc, JobRequest } from '@grsai-jobs/jobs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { packDoc, unpackDoc } from './doc-codec.ts';

const some = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const request = fc.record({
  type: fc.constantFrom('chat', 'image'),
  via: fc.constantFrom('generate', 'generations'),
  metadata: some(fc.constantFrom({}, { order: 'A-17' })),
  priority: some(fc.constantFrom('low', 'normal', 'high')),
  expires_in_s: some(fc.constantFrom(60, 86_400)),
  max_attempts: some(fc.constantFrom(1, 4)),
  output: some(fc.constantFrom({ url_ttl_s: 86_400 }, { url_ttl_s: 60 })),
});

const docOf = ({ type, via, ...more }: Record<string, unknown>): JobDoc => {
  const input =
    type === 'chat' ? { model: 'm', messages: [{ role: 'user', content: 'hi' }] } : { model: 'nano-banana-2', prompt: 'p' };
  const parsed = JobRequest.parse({ type, input, ...(type === 'image' ? { via } : {}), ...more });
  return { ...parsed, on_unknown_submit: 'fail' };
};

test('when a request is packed then it comes back whole, whatever was left to its default', () => {
  fc.assert(
    fc.property(request, (each) => {
      expect(unpackDoc(packDoc(docOf(each)))).toEqual(docOf(each));
    }),
  );
});

test('when a request has the defaults only then they take no room', () => {
  const packed = JSON.parse(packDoc(docOf({ type: 'image', via: 'generate' }))) as object;
  expect(Object.keys(packed).sort()).toEqual(['input', 'on_unknown_submit', 'type']);
});
