import { imageModel, imageTaskWarnings, pixelsFor, validateImageTask } from '@grsai-jobs/grsai/models';

console.log(imageModel('nano-banana-2')?.sizes);
console.log(pixelsFor('9:16', '2K'));
for (const { field, message } of validateImageTask({
  model: 'gpt-image-2-vip',
  prompt: 'x',
  aspectRatio: '16:9',
  imageSize: '2K',
})) {
  console.log(`${field}: ${message}`);
}
console.log(imageTaskWarnings({ model: 'nano-banana-2', prompt: 'x', imageSize: '8K' }));
