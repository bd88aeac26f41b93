import { once } from 'node:events';
import type { Host } from '../host.ts';
import { type Paint, paintFor } from './paint.ts';
import { type Column, table } from './table.ts';

/** stdout: results for a person, or JSON and nothing else. */
export interface Output {
  readonly json: boolean;
  readonly paint: Paint;
  /** One result: as JSON whole, for a person as `render` says it; `width` is that of the terminal, if there is one. */
  value<T>(value: T, render: (value: T, paint: Paint, width: number | undefined) => string): Promise<void>;
  /** Many results: NDJSON as they come, for a person a table, or `none` on stderr. */
  rows<Row>(rows: AsyncIterable<Row> | Iterable<Row>, columns: readonly Column<Row>[], none: string): Promise<void>;
  /** A line that is JSON already, for programs and people alike. */
  text(line: string): Promise<void>;
  /** One of many results that come over time. */
  row<T>(value: T, render: (value: T, paint: Paint) => string): Promise<void>;
}

export function createOutput(host: Host, json: boolean): Output {
  const paint = paintFor(host.stdout, host.env);
  const width = host.stdout.isTTY ? host.stdout.columns : undefined;
  const write = async (text: string): Promise<void> => {
    if (text !== '' && !host.stdout.write(`${text}\n`)) await once(host.stdout, 'drain');
  };
  return {
    json,
    paint,
    text: write,
    value: async (value, render) => await write(json ? JSON.stringify(value, null, 2) : render(value, paint, width)),
    row: async (value, render) => await write(json ? JSON.stringify(value) : render(value, paint)),
    async rows<Row>(rows: AsyncIterable<Row> | Iterable<Row>, columns: readonly Column<Row>[], none: string) {
      if (json) {
        for await (const row of rows) await write(JSON.stringify(row));
        return;
      }
      const all: Row[] = [];
      for await (const row of rows) all.push(row);
      if (all.length === 0) host.stderr.write(`${none}\n`);
      await write(table(columns, all, { paint, width }));
    },
  };
}
