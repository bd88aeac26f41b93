import type { Problem } from './problem.ts';
import { IMAGE_MODELS, QUALITIES } from './table.ts';

/** Lists that upstream keeps extending: a value that stands in none of them may be newer than the table. */
const KNOWN = {
  aspectRatio: [...new Set(IMAGE_MODELS.flatMap(({ ratios = [] }) => ratios))],
  imageSize: [...new Set(IMAGE_MODELS.flatMap(({ sizes = [] }) => sizes))],
  quality: QUALITIES,
  background: ['transparent'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type OpenField = keyof typeof KNOWN;

const OPEN_FIELDS = ['aspectRatio', 'imageSize', 'quality', 'background'] as const satisfies readonly OpenField[];

/** What a value may look like at all: pixels are no matter of a list, and a ratio has no zeros in front. */
const FORMS: Readonly<Record<OpenField, { readonly form: RegExp; readonly words: string }>> = {
  aspectRatio: {
    form: /^(?:[1-9]\d{0,3}:[1-9]\d{0,3}|[1-9]\d{0,4}x[1-9]\d{0,4}|[A-Za-z][A-Za-z0-9_-]{0,15})$/,
    words: 'must be a ratio as "4:3", pixels as "1024x1024" or a word as "auto"',
  },
  imageSize: { form: /^[A-Za-z0-9][A-Za-z0-9._-]{0,15}$/, words: 'must be a size as "2K"' },
  quality: { form: /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/, words: 'must be a word as "high"' },
  background: { form: /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/, words: 'must be a word as "transparent"' },
};

const PIXELS = /^\d+x\d+$/;

/** Is it a value that no list has, in a form that one might have tomorrow? A known value in other letters is a slip. */
export function isNewValue(field: OpenField, value: string): boolean {
  if (!FORMS[field].form.test(value) || (field === 'aspectRatio' && PIXELS.test(value))) return false;
  return !KNOWN[field].some((known: string) => known.toLowerCase() === value.toLowerCase());
}

/** Values that cannot be meant on any model. */
export function malformedValues(task: Readonly<Record<string, unknown>>): readonly Problem[] {
  return OPEN_FIELDS.flatMap((field) => {
    const value = task[field];
    return typeof value !== 'string' || FORMS[field].form.test(value) ? [] : [{ field, message: FORMS[field].words }];
  });
}

/** Values that are passed on though nobody knows them, one sentence for each. */
export function newValues(task: Readonly<Record<string, unknown>>): readonly Problem[] {
  return OPEN_FIELDS.flatMap((field) => {
    const value = task[field];
    if (typeof value !== 'string' || !isNewValue(field, value)) return [];
    return [{ field, message: `"${value}" is not known; it is passed on as it is (known: ${KNOWN[field].join(', ')})` }];
  });
}
