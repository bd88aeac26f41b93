import type { Model } from '@grsai-jobs/client';
import { defineCommand } from '../command.ts';
import { count } from '../output/format.ts';
import type { Column } from '../output/table.ts';

type Price = NonNullable<Model['price']>;

function priceText(price: Price): string {
  if ('credits' in price) return `${count(price.credits)} a call`;
  if ('input' in price) return `${count(price.input)} in, ${count(price.output)} out a million`;
  const rates = Object.entries(price.per_second).map(([resolution, credits]) => `${resolution} ${count(credits)}`);
  return `${rates.join(', ')} a second`;
}

const stateOf = ({ closed, maintenance }: Model): string => {
  if (closed) return 'closed';
  return maintenance === null ? 'open' : 'maintenance';
};

const COLUMNS: readonly Column<Model>[] = [
  { head: 'MODEL', cell: ({ id }) => id },
  { head: 'TYPE', cell: ({ type }) => type, yields: 2 },
  { head: 'CREDITS', cell: ({ price }) => (price === null ? null : priceText(price)) },
  { head: 'FROM', cell: ({ price_source }) => price_source, yields: 1 },
  { head: 'STATE', cell: stateOf, style: (paint, text, model) => paint(stateOf(model) === 'open' ? 'green' : 'yellow', text) },
  { head: 'WHY', cell: ({ maintenance }) => maintenance, shrinks: true },
];

export const models = defineCommand<object>({
  usage: 'models [name...]',
  about: 'List models with their prices and states',
  details:
    'Prices are credits of the upstream account: for a call, for a million tokens in and out, or for a second of video. FROM says whether one stands in the list of the upstream, in a file of the operator, or in the table of this version.',
  examples: [
    ['models', 'all that are known'],
    ['models nano-banana-2 gemini-3.1-pro', 'these'],
    ['models --json | jq -r "select(.closed) | .id"', 'the names of those that are closed'],
  ],
  run: async ({ client, out }, _options, names) => {
    const rows =
      names.length === 0 ? client.models.list() : await Promise.all(names.map(async (name) => await client.models.get(name)));
    await out.rows(rows, COLUMNS, 'No models.');
    return 'ok';
  },
});
