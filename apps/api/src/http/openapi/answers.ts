import { z } from 'zod';

export { refusals } from './problems.ts';

/** What the operations of many routes are written with. */

/** A body of lines, each a JSON object: clients that are generated pass it on as it is, where they would read a text as one JSON value. */
export const LINES = { type: 'string', format: 'binary' } as const;

export const comeBack = z.string().describe('seconds until it is worth asking again');

/** The header that makes one thing of a request that is sent again. */
export const idempotencyKey = (example: string, about: string) =>
  z.string().min(1).max(255).optional().meta({ example }).describe(about);

/** Shown in the list of examples: "2 image, succeeded". */
function labelOf(value: unknown, index: number): string {
  const { type, status } = value as { type?: string; status?: string };
  return [index + 1, [type, status].filter((each) => each !== undefined).join(', ')].join(' ').trim();
}

/** An answer with a JSON body; every answer has at least one example. */
export const json = (schema: z.ZodType, description: string, ...examples: readonly unknown[]) => ({
  description,
  content: {
    'application/json': {
      schema,
      ...(examples.length === 1 ? { example: examples[0] } : {}),
      ...(examples.length > 1
        ? { examples: Object.fromEntries(examples.map((value, index) => [labelOf(value, index), { value }])) }
        : {}),
    },
  },
});

/** One page of a list. */
export const listOf = (item: z.ZodType) =>
  z.object({ object: z.literal('list'), data: z.array(item), next_cursor: z.string().nullable() });

/** A page that ends here. */
export const listExample = <T>(...data: T[]) => ({ object: 'list' as const, data, next_cursor: null });
