import { expect, test } from 'vitest';
import { readSize } from './image-size.ts';

test.each([
  ['1024x1024', 'nano-banana-2', { aspect_ratio: '1:1' }],
  ['1536x1024', 'nano-banana-2', { aspect_ratio: '3:2' }],
  ['1024x1792', 'nano-banana-2', { aspect_ratio: '9:16', image_size: '2K' }],
  ['3840x2160', 'nano-banana-2', { aspect_ratio: '16:9', image_size: '4K' }],
  ['256x1024', 'nano-banana-2', { aspect_ratio: '1:4' }],
  ['1536x1024', 'gpt-image-2', { aspect_ratio: '1536x1024' }],
  ['1000x1000', 'a-model-of-tomorrow', { aspect_ratio: '1000x1000' }],
  ['3:2', 'nano-banana-2', { aspect_ratio: '3:2' }],
  ['auto', 'nano-banana-2', {}],
])('when %s is asked of %s then it is what that model takes', (size, model, fields) => {
  expect(readSize(size, model)).toEqual({ fields });
});

test.each([
  ['2048x2048', 'nano-banana-2-lite', /as large as 2048x2048; it has 1K/],
  ['large', 'nano-banana-2', /must be "auto"/],
  ['0x10', 'nano-banana-2', /must be "auto"/],
])('when %s is asked of %s then the refusal says what it has', (size, model, why) => {
  expect(readSize(size, model)).toEqual({ problem: expect.stringMatching(why) });
});
