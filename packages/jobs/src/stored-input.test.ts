import { expect, test } from 'vitest';
import type { JobDoc } from './doc.ts';
import { eachPicture, inputObjectBytes, inputObjects, mapPictures } from './inputs.ts';
import { LIMITS } from './limits.ts';
import { JobRequest } from './request.ts';
import { inputPieces, isLargeInput, restoreInput, withStoredInput } from './stored-input.ts';

const docOf = (request: object): JobDoc => ({ ...JobRequest.parse(request), on_unknown_submit: 'fail' });
const LONG = '灯'.repeat(30_000);
const URL = 'https://a.example/x.png';

/** The same with each picture where it would stand. */
const stored = (doc: JobDoc): JobDoc => {
  let n = 0;
  return mapPictures(doc, () => ({ $object: `acme/in-${n++}.png`, content_type: 'image/png', bytes: 1000 + n }));
};

const ROWS: readonly [string, object, object][] = [
  ['a chat', { type: 'chat', input: { model: 'm', messages: [{ role: 'user', content: LONG }] } }, { model: 'm', messages: [] }],
  [
    'a streamed chat with pictures',
    {
      type: 'chat',
      input: {
        ...{ model: 'm', stream: true, seed: 7 },
        messages: [1, 2].map(() => ({
          role: 'user',
          content: [
            { type: 'text', text: LONG },
            { type: 'image_url', image_url: { url: URL } },
          ],
        })),
      },
    },
    { model: 'm', messages: [], stream: true },
  ],
  [
    'an image with pictures',
    { type: 'image', input: { model: 'm', prompt: LONG, images: [URL, URL], mask: URL, image_size: '2K', aspect_ratio: '4:3' } },
    { model: 'm', prompt: '', image_size: '2K', aspect_ratio: '4:3' },
  ],
];

test.each(ROWS)(
  'when the pictures of %s are looked at then they are those that could be changed, in their order',
  (_what, request) => {
    const [changed, seen]: [unknown[], unknown[]] = [[], []];
    mapPictures(docOf(request), (...each) => {
      changed.push(each);
      return each[0];
    });
    eachPicture(docOf(request), (...each) => void seen.push(each));
    expect(seen).toEqual(changed);
  },
);

test.each(ROWS)(
  'when the input of %s is stored then the record has what finds and schedules it, and the text brings all of it back',
  (_what, request, small) => {
    const doc = stored(docOf(request));
    const text = [...inputPieces(doc)].join('');
    expect(isLargeInput(doc)).toBe(true);
    expect(text).not.toContain('$object');
    const kept = withStoredInput(doc, { key: 'acme/input.json', bytes: Buffer.byteLength(text) });
    expect(kept.input).toEqual(small);
    expect(JSON.stringify(kept).length).toBeLessThan(1500);
    expect(restoreInput(kept, text)).toEqual(doc);
    expect(inputObjects({ doc: kept })).toEqual(['acme/input.json', ...inputObjects({ doc })]);
    expect(inputObjectBytes(kept)).toBe(inputObjectBytes(doc) + Buffer.byteLength(text));
  },
);

test('when the JSON of an input has 32 KiB then it stays in the record, with one byte more it does not', () => {
  const ofBytes = (bytes: number) => {
    const empty = JSON.stringify({
      model: 'm',
      messages: [
        { role: 'user', content: '' },
        { role: 'user', content: '' },
      ],
    }).length;
    const left = bytes - empty;
    const messages = [left - 20_000, 20_000].map((length) => ({ role: 'user', content: 'a'.repeat(length) }));
    return docOf({ type: 'chat', input: { model: 'm', messages } });
  };
  expect([0, 1].map((more) => isLargeInput(ofBytes(LIMITS.recordInputBytes + more)))).toEqual([false, true]);
  expect([...inputPieces(ofBytes(LIMITS.recordInputBytes + 1))].join('')).toHaveLength(LIMITS.recordInputBytes + 1);
});
