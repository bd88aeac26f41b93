import { expect, test } from 'vitest';
import { fitInto, fullSize, keepsPixelRules, readPixels } from './sizes.ts';

/** The table of upstream.md §9.2. */
const VENDOR_SIZES = [
  ...['1024x1024', '2048x2048', '2880x2880', '1280x720', '2048x1152', '3840x2160', '1152x864', '2304x1728', '3264x2448'],
  ...['1536x1024', '2048x1360', '3504x2336', '1120x896', '2240x1792', '3200x2560', '1456x624', '2912x1248', '3840x1648'],
  ...['1536x768', '3072x1536', '3840x1920', '2048x688', '3840x1280'],
];

test.each(VENDOR_SIZES)('%s keeps the rules, and so does its portrait', (text) => {
  const { width, height } = readPixels(text) ?? { width: 0, height: 0 };
  expect([keepsPixelRules({ width, height }), keepsPixelRules({ width: height, height: width })]).toEqual([true, true]);
});

test.each(['', '1024', '1024X1024', '0x16', '16x-16', '1024x1024 ', '01x16'])('%j is no pixel size', (text) => {
  expect(readPixels(text)).toBeUndefined();
});

test.each<[string, string, string, [number, number]]>([
  ['nano-banana-2', '1:1', '1K', [1024, 1024]],
  ['nano-banana-2', '1:1', '4K', [4096, 4096]],
  ['nano-banana-2', 'auto', '1K', [1184, 880]],
  ['gpt-image-2', '16:9', '1K', [1672, 941]],
  ['gpt-image-2', '9:16', '1K', [941, 1672]],
  ['gpt-image-2-vip', '3840x2160', '1K', [3840, 2160]],
  ['minimax-h3', 'portrait', '1K', [768, 1360]],
])('%s at %s and %s gives %j', (model, ratio, size, [width, height]) => {
  expect(fullSize(model, ratio, size)).toEqual({ width, height });
});

test('a picture is fitted into an edge without changing its shape, and never enlarged', () => {
  expect(fitInto({ width: 1024, height: 768 }, 256)).toEqual({ width: 256, height: 192 });
  expect(fitInto({ width: 100, height: 50 }, 256)).toEqual({ width: 100, height: 50 });
  expect(fitInto({ width: 3840, height: 2160 }, 'full')).toEqual({ width: 3840, height: 2160 });
});
