import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';
import { oneLine } from './format.ts';
import { type Paint, plain } from './paint.ts';

export interface Column<Row> {
  head: string;
  cell: (row: Row) => string | number | null | undefined;
  /** Numbers stand right. */
  align?: 'right';
  /** Gives way when the terminal is too narrow. */
  shrinks?: boolean;
  /** Is left out before a column that shrinks could not be read any more; the lowest number first. `--json` has it all. */
  yields?: number;
  style?: (paint: Paint, text: string, row: Row) => string;
}

export interface TableOptions {
  paint?: Paint;
  /** Columns of the terminal; without it nothing is cut. */
  width?: number | undefined;
}

const GAP = 2;
const NARROWEST = 8;
/** A column that shrinks can be read from here on. */
const READABLE = 24;

/** Rows under heads, as wide as their text on a terminal (wide characters count twice). Empty for no rows. */
export function table<Row>(all: readonly Column<Row>[], rows: readonly Row[], o: TableOptions = {}): string {
  if (rows.length === 0) return '';
  const paint = o.paint ?? plain;
  const measured = all.map((column) => ({ column, width: widthOf(column, rows) }));
  const shown = o.width === undefined ? measured : fitting(measured, o.width);
  const columns = shown.map(({ column }) => column);
  const widths = shown.map(({ width }) => width);
  if (o.width !== undefined) shrink(columns, widths, o.width);
  const texts = rows.map((row) => columns.map(({ cell }) => textOf(cell(row))));
  const line = (cells: readonly string[], styled: (at: number, text: string) => string): string =>
    columns
      .map(({ align }, at) => {
        const width = widths[at] ?? 0;
        const text = cut(cells[at] ?? '', width);
        const space = ' '.repeat(Math.max(0, width - stringWidth(text)));
        if (align === 'right') return space + styled(at, text);
        return styled(at, text) + (at === columns.length - 1 ? '' : space);
      })
      .join(' '.repeat(GAP))
      .trimEnd();
  const heads = line(
    columns.map(({ head }) => head),
    (_at, text) => paint('dim', text),
  );
  const body = rows.map((row, index) => line(texts[index] ?? [], (at, text) => columns[at]?.style?.(paint, text, row) ?? text));
  return [heads, ...body].join('\n');
}

/** Lines of a name and what it is, names in one column. Those without a value are left out. */
export function facts(lines: readonly (readonly [string, string | number | null | undefined])[], paint: Paint): string {
  const kept = lines.flatMap(([name, value]) =>
    value === null || value === undefined || value === '' ? [] : [[name, String(value)] as const],
  );
  const width = Math.max(0, ...kept.map(([name]) => name.length));
  return kept.map(([name, value]) => `${paint('dim', name.padEnd(width))}  ${value}`).join('\n');
}

/** Cells hold what callers and upstream wrote. */
function textOf(value: string | number | null | undefined): string {
  return value === null || value === undefined || value === '' ? '–' : oneLine(stripVTControlCharacters(String(value)));
}

function widthOf<Row>({ head, cell }: Column<Row>, rows: readonly Row[]): number {
  return rows.reduce((widest, row) => Math.max(widest, stringWidth(textOf(cell(row)))), stringWidth(head));
}

interface Measured<Row> {
  column: Column<Row>;
  /** Of its widest cell, or its head. */
  width: number;
}

/** Those that are shown at this width. */
function fitting<Row>(all: readonly Measured<Row>[], available: number): Measured<Row>[] {
  const leaving = all
    .filter(({ column }) => column.yields !== undefined)
    .sort((a, b) => (a.column.yields ?? 0) - (b.column.yields ?? 0));
  const shown = new Set(all);
  const least = () =>
    [...shown].reduce((sum, { column, width }) => sum + GAP + (column.shrinks ? Math.min(width, READABLE) : width), -GAP);
  for (const next of leaving) {
    if (least() <= available) break;
    shown.delete(next);
  }
  return [...shown];
}

function shrink<Row>(columns: readonly Column<Row>[], widths: number[], available: number): void {
  const excess = widths.reduce((sum, width) => sum + width, GAP * (widths.length - 1)) - available;
  const givers = columns.flatMap(({ shrinks }, at) => (shrinks ? [at] : []));
  for (let left = excess; left > 0; left -= 1) {
    const widest = givers.toSorted((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0))[0];
    if (widest === undefined || (widths[widest] ?? 0) <= NARROWEST) return;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
}

/** At most so wide; what was cut ends with an ellipsis. */
export function cut(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let kept = '';
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (stringWidth(kept + segment) > width - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}
