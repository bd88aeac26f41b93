import { JobRequest, LIMITS } from '@grsai-jobs/jobs';
import { describe, expect, test } from 'vitest';
import { imageProblems, requestWarnings } from './check-request.ts';
import { createLineWarnings } from './reported-lines.ts';

const image = (fields: object, more: object = {}) =>
  JobRequest.safeParse({ type: 'image', input: { model: 'nano-banana-2', prompt: 'x', ...fields }, ...more });
const chat = (fields: object) =>
  JobRequest.safeParse({
    type: 'chat',
    input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'x' }], ...fields },
  });

type Parsed = ReturnType<typeof image>;

const told = (parsed: Parsed): unknown => {
  if (!parsed.success) return parsed.error.issues.map(({ path }) => `/${path.join('/')}`);
  return {
    wrong: imageProblems(parsed.data).map(({ pointer }) => pointer),
    warned: requestWarnings(parsed.data).map(({ pointer, code }) => `${pointer} ${code}`),
  };
};

describe('a value that no list has', () => {
  test.each<[string, Parsed, string[]]>([
    ['a size', image({ image_size: '8K' }), ['/input/image_size']],
    ['a ratio', image({ aspect_ratio: '7:5' }), ['/input/aspect_ratio']],
    ['a quality', image({ quality: 'ultra', model: 'gpt-image-2.5-sunburst' }), ['/input/quality']],
    ['a background', image({ background: 'opaque', model: 'gpt-image-2.5-flare' }), ['/input/background']],
    [
      'several on a model of tomorrow',
      image({ model: 'm', quality: 'q', image_size: '3K' }),
      ['/input/image_size', '/input/quality'],
    ],
    ['a ratio by generations', image({ aspect_ratio: '7:5' }, { via: 'generations' }), ['/input/aspect_ratio']],
    ['an effort', chat({ reasoning_effort: 'xhigh' }), ['/input/reasoning_effort']],
    ['another effort', chat({ reasoning_effort: 'none' }), ['/input/reasoning_effort']],
    ['nothing new', image({ image_size: '2K', aspect_ratio: '1:8' }), []],
    ['a known effort', chat({ reasoning_effort: 'high' }), []],
  ])('when it is %s, then the request is good and its field is reported', (_name, parsed, pointers) => {
    expect(told(parsed)).toEqual({ wrong: [], warned: pointers.map((pointer) => `${pointer} unknown_value`) });
  });

  test.each<[string, Parsed, unknown]>([
    [
      'a size where there is none',
      image({ model: 'gpt-image-2', image_size: '8K' }),
      { wrong: ['/input/image_size'], warned: [] },
    ],
    [
      'a ratio where pixels are',
      image({ model: 'gpt-image-2-vip', aspect_ratio: '7:5' }),
      { wrong: ['/input/aspect_ratio'], warned: [] },
    ],
    ['a known size in small letters', image({ image_size: '2k' }), { wrong: ['/input/image_size'], warned: [] }],
    ['a ratio with a zero', image({ aspect_ratio: '0:5' }), { wrong: ['/input/aspect_ratio'], warned: [] }],
    ['a sentence', image({ quality: 'as good as can be' }), ['/input/quality']],
    ['no end', image({ background: 'x'.repeat(33) }), ['/input/background']],
    ['a control character', chat({ reasoning_effort: 'high\n' }), ['/input/reasoning_effort']],
    ['nothing', chat({ reasoning_effort: '' }), ['/input/reasoning_effort']],
  ])('when it is %s, then it is refused', (_name, parsed, expected) => {
    expect(told(parsed)).toEqual(expected);
  });
});

test('when more lines are worth a warning than are shown, then all are counted and the first are kept', () => {
  const lines = createLineWarnings();
  const warnings = [{ pointer: '/input/quality', code: 'unknown_value' as const, message: 'x' }];
  for (let line = 1; line <= LIMITS.batch.linesShown + 5; line++) lines.add({ line, custom_id: `c${line}`, warnings });
  lines.add({ line: 0, custom_id: 'fine', warnings: [] });
  expect([lines.shown().count, lines.shown().lines.length]).toEqual([LIMITS.batch.linesShown + 5, LIMITS.batch.linesShown]);
});
