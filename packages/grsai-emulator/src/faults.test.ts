import { describe, expect, test } from 'vitest';
import { FAULTS, parseFault, phasesOf } from './faults.ts';

test('the faults of the table are numbered without a gap', () => {
  expect(Object.keys(FAULTS)).toEqual(Array.from(Object.keys(FAULTS), (_, i) => `F${i + 1}`));
});

describe('a fault as text', () => {
  test('takes the defaults of the table', () => {
    expect(parseFault('F9')).toEqual({
      id: 'F9',
      spec: 'F9',
      at: undefined,
      times: 1,
      params: { as: 'empty', ms: '600000', task: 'yes' },
    });
  });

  test('takes form, parameters, place and number', () => {
    expect(parseFault('F4:as=text,status=504,at=poll,times=all')).toMatchObject({
      at: 'poll',
      times: Number.POSITIVE_INFINITY,
      params: { as: 'text', status: '504', task: 'no' },
    });
  });

  test('takes percent-encoded values', () => {
    expect(parseFault('F16:text=a%2C%20b%5D').params['text']).toBe('a, b]');
  });

  test.each([
    '',
    'F0',
    'f6',
    'toString',
    'F9:as=x',
    'F9:as=',
    'F8:ms=soon',
    'F8:ms',
    'F1:ms=5',
    'F9:at=webhook',
    'F9:times=',
    'F9:times=-1',
    'F9:constructor=1',
  ])('is refused as %j', (spec) => {
    expect(() => parseFault(spec)).toThrow(/fault/);
  });

  test('every form of every fault can be asked for', () => {
    for (const [id, row] of Object.entries(FAULTS)) {
      for (const as of 'as' in row ? row.as : []) expect(parseFault(`${id}:as=${as}`).params['as']).toBe(as);
    }
  });
});

test.each<[string, 'submit' | 'poll' | 'chat', readonly string[]]>([
  ['F4', 'submit', ['submit']],
  ['F4', 'poll', ['poll']],
  ['F4:at=file', 'submit', ['file']],
  ['F9', 'submit', ['poll']],
  ['F9:at=submit', 'submit', ['submit']],
  ['F10', 'submit', ['poll', 'stream']],
  ['F14', 'submit', ['submit', 'poll']],
  ['F21', 'chat', ['chat']],
])('%s on a %s strikes %j', (spec, phase, phases) => {
  expect(phasesOf(parseFault(spec), phase)).toEqual(phases);
});
