import { expect, test } from 'vitest';
import { z } from 'zod';
import { tryValidate } from '../validation/validate.ts';
import { invalid } from './validate.ts';

const Body = z.strictObject({
  mode: z.enum(['resume', 'resubmit']).optional(),
  name: z.string().min(1).max(8).optional(),
  limit: z.int().min(1).max(100).optional(),
  ids: z.array(z.string()).min(1).max(2).optional(),
  input: z.discriminatedUnion('type', [z.object({ type: z.literal('chat') }), z.object({ type: z.literal('image') })]).optional(),
  part: z.union([z.string(), z.object({ url: z.string() })]).optional(),
  color: z
    .string()
    .regex(/^#[0-9a-f]{6}$/, 'must be a color such as #00aa77')
    .optional(),
});

test.each([
  [{ mode: 'again' }, '/mode', 'must be one of resume, resubmit'],
  [{ name: 7 }, '/name', 'must be a string'],
  [{ name: '' }, '/name', 'must not be empty'],
  [{ name: 'Constantinople' }, '/name', 'must have at most 8 characters'],
  [{ limit: 0 }, '/limit', 'must be at least 1'],
  [{ limit: 1000 }, '/limit', 'must be at most 100'],
  [{ limit: 1.5 }, '/limit', 'must be a whole number'],
  [{ ids: {} }, '/ids', 'must be a list'],
  [{ ids: ['a', 'b', 'c'] }, '/ids', 'must have at most 2 items'],
  [{ input: {} }, '/input/type', 'must be one of chat, image'],
  [{ part: {} }, '/part/url', 'is required'],
  [{ color: 'red' }, '/color', 'must be a color such as #00aa77'],
  [{ colour: 'red' }, '/colour', 'unknown field'],
  [[], '', 'must be an object'],
])('when the body is %j then %s %s', (body, pointer, message) => {
  expect(tryValidate(Body, body)).toEqual({ errors: [{ pointer, message }] });
});

test('when a field is missing then it is said to be required, with what it may be', () => {
  const schema = z.object({ prompt: z.string(), action: z.enum(['cancel', 'requeue']) });
  expect(tryValidate(schema, {})).toEqual({
    errors: [
      { pointer: '/prompt', message: 'is required' },
      { pointer: '/action', message: 'is required and must be one of cancel, requeue' },
    ],
  });
});

test.each([
  [[{ pointer: '/input/model', message: 'is required' }], 'One field is not valid; /input/model: is required'],
  [[{ pointer: '', message: 'must be an object' }], 'One field is not valid; must be an object'],
  [
    [
      { pointer: '/input/prompt', message: 'is required' },
      { pointer: '/input/promt', message: 'unknown field' },
    ],
    '2 fields are not valid; the first: /input/prompt: is required',
  ],
])('when %j is wrong then the detail names the first of it', (errors, detail) => {
  expect(invalid(errors).message).toBe(detail);
});

test('when the name of an unknown field is very long then its beginning is reported', () => {
  const found = tryValidate(z.strictObject({}), { [`a${'😀'.repeat(1000)}`]: 1 });
  const [error] = 'errors' in found ? found.errors : [];
  expect(error?.pointer).toMatch(/^\/a😀{63}\ufffd…$/u);
});
