import { expect, test } from 'vitest';
import { isUntyped, readPicture } from './picture-text.ts';

const BYTES = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(120, 0xfb)]);
const BASE64 = BYTES.toString('base64');
const URL_SAFE = BYTES.toString('base64url');
const PNG = `data:image/png;base64,${BASE64}`;
const UNTYPED = `data:application/octet-stream;base64,${BASE64}`;
const inLines = (end: string, width = 76) => BASE64.replace(new RegExp(`.{1,${width}}`, 'g'), (line) => line + end);
const ONE_SHORT = Buffer.alloc(40, 1).toString('base64');

test.each([
  ['as it should be', PNG, PNG],
  ['an address', 'https://a.example/a%20b.png?x=1', 'https://a.example/a%20b.png?x=1'],
  ['an address between blanks', ' HTTPS://a.example/a.png\r\n', 'HTTPS://a.example/a.png'],
  ['bare base64', BASE64, BASE64],
  ['in lines', `data:image/png;base64,${inLines('\n')}`, PNG],
  ['in lines of Windows', `data:image/png;base64,\r\n${inLines('\r\n', 64)}`, PNG],
  ['with blanks and tabs', `data:image/png;base64, ${inLines(' \t', 4)}`, PNG],
  ['bare, in lines', inLines('\n'), BASE64],
  ['bare, in lines that are set in', inLines('\r\n  '), BASE64],
  ['a charset', `data:image/png;charset=utf-8;base64,${BASE64}`, PNG],
  ['a name', `data:image/png;name=x.png;base64,${BASE64}`, PNG],
  ['a quoted name with a comma', `data:image/png;name="a, b.png";base64,${BASE64}`, PNG],
  ['parameters behind base64', `data:image/png;base64;charset=utf-8,${BASE64}`, PNG],
  ['blanks in the head', `data: image/png ; base64 ,${BASE64}`, PNG],
  ['upper case', `DATA:IMAGE/PNG;BASE64,${BASE64}`, PNG],
  ['the base64 of URLs', `data:image/png;base64,${URL_SAFE}`, PNG],
  ['percent-encoded', `data:image/png;base64,${encodeURIComponent(BASE64)}`, PNG],
  ['without padding', `data:image/png;base64,${BASE64.replace(/=+$/, '')}`, PNG],
  ['with too much padding', `data:image/png;base64,${BASE64}==`, PNG],
  ['SVG', 'data:image/svg+xml;base64,PHN2Zz48L3N2Zz4=', 'data:image/svg+xml;base64,PHN2Zz48L3N2Zz4='],
  ['no type', `data:;base64,${BASE64}`, UNTYPED],
  ['no type, only a charset', `data:charset=utf-8;base64,${BASE64}`, UNTYPED],
  ['bytes', `data:application/octet-stream;base64,${URL_SAFE}`, UNTYPED],
  ['any image', `data:image/*;base64,${BASE64}`, UNTYPED],
  ['the type of a template that had none', `data:undefined;base64,${BASE64}`, UNTYPED],
  ['bare base64 of URLs, which a file name may be', URL_SAFE, UNTYPED],
])('when a picture is %s then what is kept says the same in one way', (_what, sent, picture) => {
  expect(readPicture(sent)).toEqual({ picture });
  expect(readPicture(picture)).toEqual({ picture });
  expect(isUntyped(picture)).toBe(picture.startsWith('data:application/'));
});

test.each([
  ['', /must not be empty/],
  [' \n', /must not be empty/],
  ['https://', /URL that can be read/],
  ['http://exa mple.com/a.png', /URL that can be read/],
  [`data:text/plain;base64,${BASE64}`, /^data:text\/plain is not an image; send data:image\/png;base64/],
  [`data:application/pdf;base64,${BASE64}`, /^data:application\/pdf is not an image/],
  ['data:image/png,AAAA', /must be base64: data:image\/png;base64/],
  ['data:image/svg+xml;utf8,<svg/>', /must be base64/],
  ['data:image/png;base64', /needs a comma/],
  [`data:${'x'.repeat(5000)},AAAA`, /needs a comma/],
  ['data:image/png;base64,', /base64 of nothing/],
  ['data:image/png;base64,====', /base64 of nothing/],
  ['data:image/png;base64,AAAA\u00a0AAAA', /not base64 at character 27/],
  [`data:image/png;base64,${'A'.repeat(10)}*${'A'.repeat(5)}`, /^is not base64 at character 33: "\*"$/],
  [`data:image/png;base64,AA=A${'A'.repeat(20)}`, /^is not base64 at character 25: "="$/],
  [`data:image/png;base64,${'A'.repeat(8)}%${'A'.repeat(7)}`, /^is not base64 at character 31: "%"$/],
  [`data:image/png;base64,AAA😀AAAA`, /^is not base64 at character 26: "😀"$/],
  [`data:image/png;base64,${ONE_SHORT.slice(0, 13)}`, /cut short: 13 characters/],
  [`${BASE64.slice(0, 100)}#${BASE64.slice(100)}`, /^is not base64 at character 101: "#"$/],
  [`data:image/png;base64,${'A '.repeat(2000)}`, /^is more blanks and escapes than base64$/],
  [`data:image/png;base64,${'%2B'.repeat(2000)}`, /^is more blanks and escapes than base64$/],
  ['file:///etc/passwd', /file: is none of these/],
  ['blob:https://a.example/1', /blob: is none/],
  ['short', /must be an http\(s\) URL, a data URL of an image, or bare base64/],
  ['a cat on a mat and some more', /must be an http\(s\) URL/],
  ['//cdn.example/a.png', /must be an http\(s\) URL/],
])('when a picture is %j then it is said what is wrong', (sent, problem) => {
  expect(readPicture(sent)).toEqual({ problem: expect.stringMatching(problem) });
});

test.each(['=', ' ', '%2B', 'A%20', '-', 'a-', '\n', 'A\n', 'A ', 'a.', '"', ';'])(
  'when two million times %j are sent then they are read in a moment',
  (text) => {
    const long = text.repeat(2_000_000);
    for (const head of ['data:image/png;base64,', 'data:image/png', '', 'https://']) readPicture(`${head}${long}A`);
  },
  5000,
);
