import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FULL_PIXELS, PIXEL_TABLE, parsePixels, pixelProblems, pixelsFor } from './pixels.ts';
import { IMAGE_MODELS } from './table.ts';
import { imageTaskWarnings, validateImageTask } from './validate.ts';

const fields = (task: object): string[] =>
  validateImageTask({ model: 'nano-banana-2', prompt: 'x', ...task }).map(({ field }) => field);

describe('a task that is right passes', () => {
  test.each([
    {},
    { images: [] },
    {
      images: ['https://a.example/x.jpg', 'data:image/png;base64,iVBORw0KGgo=', 'iVBORw0KGgo='],
      aspectRatio: '4:3',
      imageSize: '2K',
    },
    { aspectRatio: '8:1' },
    { model: 'gpt-image-2', aspectRatio: '9:21' },
    { model: 'gpt-image-2', aspectRatio: '1024x1024', mask: 'https://a.example/mask.png' },
    { model: 'gpt-image-2-vip', aspectRatio: 'auto', quality: 'medium' },
    { model: 'gpt-image-2.5-flare', aspectRatio: 'auto', quality: 'high', background: 'transparent' },
    { model: 'nano-banana-fast', aspectRatio: '1:4', imageSize: '1K' },
    { model: 'gpt-image-2.5-sunburst', aspectRatio: '3840x2160', quality: 'max' },
    { model: 'a-model-of-tomorrow', aspectRatio: '5:7', imageSize: '8K', somethingNew: 1 },
    { model: 'minimax-h3', aspectRatio: 'portrait', resolution: '1080p', duration: 10, seed: 4 },
  ])('%j', (task) => {
    expect(validateImageTask({ model: 'nano-banana-2', prompt: 'x', ...task })).toEqual([]);
  });
});

describe('what is known to be wrong is reported by field', () => {
  test.each<[object, string[]]>([
    [{ model: '' }, ['model']],
    [{ prompt: '  ' }, ['prompt']],
    [{ prompt: undefined, model: 7 }, ['model', 'prompt']],
    [{ aspect_ratio: '1:1', image_size: '1K' }, ['aspect_ratio', 'image_size']],
    [{ n: 2, urls: [], webHook: '-1' }, ['urls', 'webHook', 'n']],
    [{ images: 'https://a.example/x.jpg' }, ['images']],
    [
      { images: ['https://a.example/x.jpg', 'ftp://a/x', 'data:text/plain,x', 3, ''] },
      ['images[1]', 'images[2]', 'images[3]', 'images[4]'],
    ],
    [{ aspectRatio: '1024x1024' }, ['aspectRatio']],
    [{ model: 'gpt-image-2', quality: 'high' }, ['quality']],
    [{ model: 'gpt-image-2-vip', background: 'transparent' }, ['background']],
    [{ model: 'gpt-image-2-vip', aspectRatio: '7:5' }, ['aspectRatio']],
    [{ model: 'gpt-image-2', imageSize: '8K' }, ['imageSize']],
    [{ aspectRatio: '0:1' }, ['aspectRatio']],
    [
      { aspectRatio: '16 : 9', imageSize: 'two K', quality: 'v\u0000', background: 'x'.repeat(40) },
      ['aspectRatio', 'imageSize', 'quality', 'background'],
    ],
    [{ aspectRatio: 7 }, ['aspectRatio']],
    [{ imageSize: '2k' }, ['imageSize']],
    [{ model: 'nano-banana-pro-4k-vip', imageSize: '1K' }, ['imageSize']],
    [{ model: 'nano-banana-pro', aspectRatio: '1:8' }, ['aspectRatio']],
    [{ quality: 'high', background: 'transparent', mask: 'https://a.example/m.png' }, ['quality', 'background', 'mask']],
    [{ model: 'gpt-image-2', imageSize: '1K' }, ['imageSize']],
    [{ model: 'gpt-image-2', aspectRatio: '2048x2048' }, ['aspectRatio']],
    [{ model: 'gpt-image-2-vip', aspectRatio: '16:9' }, ['aspectRatio']],
    [{ model: 'gpt-image-2.5-flare', quality: 'max' }, ['quality']],
    [{ model: 'a-model-of-tomorrow', quality: 'best', background: 'red', mask: 'm.png' }, ['mask']],
    [{ model: 'minimax-h3', aspectRatio: '16:9', resolution: '1080p', duration: 12 }, ['aspectRatio', 'duration']],
    [
      { model: 'minimax-h3', resolution: '4k', duration: 1.5, images: Array(10).fill('https://a.example/x.png') },
      ['resolution', 'duration', 'images'],
    ],
  ])('%j → %j', (task, wrong) => {
    expect(fields(task)).toEqual(wrong);
  });

  test('an imageSize that a model lacks is reported before it stalls the task', () => {
    expect(validateImageTask({ model: 'nano-banana', prompt: 'x', imageSize: '1K' })).toEqual([
      { field: 'imageSize', message: 'nano-banana has none; leave it out' },
    ]);
  });

  test('every broken pixel rule is reported, not only the first', () => {
    expect(fields({ model: 'gpt-image-2-vip', aspectRatio: '5000x1001' })).toEqual(['aspectRatio', 'aspectRatio', 'aspectRatio']);
  });
});

describe('a value that no list has is passed on with a warning', () => {
  test.each<[object, string[]]>([
    [{ imageSize: '8K' }, ['imageSize']],
    [{ imageSize: '16K', model: 'nano-banana-pro-vip' }, ['imageSize']],
    [{ aspectRatio: '7:5' }, ['aspectRatio']],
    [{ aspectRatio: 'cinema', model: 'gpt-image-2' }, ['aspectRatio']],
    [{ quality: 'ultra' }, ['quality']],
    [{ quality: 'ultra', background: 'opaque', model: 'gpt-image-2-vip' }, ['quality', 'background']],
    [{ quality: 'ultra', imageSize: '3K', model: 'a-model-of-tomorrow' }, ['imageSize', 'quality']],
  ])('%j → %j', (task, fieldsToldOf) => {
    const whole = { model: 'nano-banana-2', prompt: 'x', ...task };
    expect(validateImageTask(whole)).toEqual([]);
    expect(imageTaskWarnings(whole).map(({ field }) => field)).toEqual(fieldsToldOf);
  });

  test.each<object>([
    {},
    { imageSize: '2K', aspectRatio: '1:8', quality: undefined },
    { model: 'gpt-image-2', imageSize: '8K' },
    { model: 'gpt-image-2.5-flare', aspectRatio: '7:5' },
    { model: 'gpt-image-2-vip', aspectRatio: '1008x1008' },
    { model: 'minimax-h3', aspectRatio: 'portrait', resolution: '768p' },
    { quality: 'no word at all' },
  ])('but %j has none: it is known, or refused', (task) => {
    expect(imageTaskWarnings({ model: 'nano-banana-2', prompt: 'x', ...task })).toEqual([]);
  });

  test('when it is in a sentence, then the sentence names it and what is known', () => {
    expect(imageTaskWarnings({ model: 'nano-banana-2', prompt: 'x', imageSize: '8K' })).toEqual([
      { field: 'imageSize', message: '"8K" is not known; it is passed on as it is (known: 1K, 2K, 4K)' },
    ]);
  });
});

describe('pixels', () => {
  const sizes = Object.values(PIXEL_TABLE).flatMap((row) => Object.values(row));

  test('of the table all keep the rule that the table is for', () => {
    expect(sizes.length).toBe(23);
    for (const size of sizes) expect(pixelProblems(parsePixels(size) ?? { width: 0, height: 0 }, FULL_PIXELS)).toEqual([]);
  });

  test('of a portrait ratio are the landscape ones turned', () => {
    expect(pixelsFor('9:16', '2K')).toBe('1152x2048');
    expect(pixelsFor('16:9', '2K')).toBe('2048x1152');
    expect(pixelsFor('1:1', '4K')).toBe('2880x2880');
    expect(pixelsFor('3:1', '1K')).toBeUndefined();
    expect(pixelsFor('7:5', '1K')).toBeUndefined();
  });

  test.each(['1024', '1024X1024', '0x10', '-1x5', '1024x1024x2', ' 10x10', '1e3x10'])('%j is no pixel size', (text) => {
    expect(parsePixels(text)).toBeUndefined();
  });

  test('the limits themselves are allowed, one step beyond is not', () => {
    const wrong = (width: number, height: number) => pixelProblems({ width, height }, FULL_PIXELS).length;
    expect(wrong(3840, 2160)).toBe(0);
    expect(wrong(3840, 1280)).toBe(0);
    expect(wrong(1024, 640)).toBe(0);
    expect(wrong(3856, 2000)).toBeGreaterThan(0);
    expect(wrong(3840, 1264)).toBeGreaterThan(0);
    expect(wrong(1024, 624)).toBeGreaterThan(0);
    expect(wrong(3840, 2176)).toBeGreaterThan(0);
  });
});

test('model names are there once', () => {
  const names = IMAGE_MODELS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

test('the validator takes any value and always answers with a list', () => {
  const task = fc.oneof(
    fc.anything(),
    fc.record(
      {
        model: fc.oneof(fc.constantFrom(...IMAGE_MODELS.map(({ name }) => name), 'minimax-h3'), fc.anything()),
        prompt: fc.anything(),
        images: fc.anything(),
        aspectRatio: fc.oneof(fc.string(), fc.anything()),
        imageSize: fc.anything(),
        quality: fc.anything(),
        background: fc.anything(),
        mask: fc.anything(),
        duration: fc.anything(),
      },
      { requiredKeys: [] },
    ),
  );
  fc.assert(fc.property(task, (value) => Array.isArray(validateImageTask(value)) && Array.isArray(imageTaskWarnings(value))));
});
