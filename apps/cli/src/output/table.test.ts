import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import type { Paint } from './paint.ts';
import { type Column, cut, facts, table } from './table.ts';

interface Row {
  name: string;
  size: number | null;
}

const COLUMNS: Column<Row>[] = [
  { head: 'NAME', cell: ({ name }) => name, shrinks: true },
  { head: 'SIZE', cell: ({ size }) => size, align: 'right' },
];

test('when rows are shown then columns stand under each other, numbers right, and nothing trails', () => {
  const rows = [
    { name: 'a', size: 5 },
    { name: 'long name', size: null },
  ];
  expect(table(COLUMNS, rows)).toBe(['NAME       SIZE', 'a             5', 'long name     –'].join('\n'));
  expect(table(COLUMNS, [])).toBe('');
});

test('when text is wide, or holds line breaks and colours, then the columns still meet', () => {
  const lines = table(COLUMNS, [
    { name: '纸灯塔', size: 1 },
    { name: 'a\nb\u001b[31mc', size: 22 },
  ]).split('\n');
  expect(lines.map((line) => stringWidth(line))).toEqual([12, 12, 12]);
});

test('when the terminal is narrow then the column that may gives way, down to a limit', () => {
  const rows = [{ name: 'n'.repeat(40), size: 1 }];
  expect(table(COLUMNS, rows, { width: 20 }).split('\n')[1]).toBe(`${'n'.repeat(13)}…     1`);
  expect(table(COLUMNS, rows, { width: 1 }).split('\n')[1]).toBe(`${'n'.repeat(7)}…     1`);
});

test('when the terminal is so narrow that a text could not be read then columns that may go are left out, the least needed first', () => {
  const columns: Column<Row>[] = [
    { head: 'NAME', cell: ({ name }) => name, shrinks: true },
    { head: 'FIRST', cell: () => 'f'.repeat(10), yields: 2 },
    { head: 'SIZE', cell: ({ size }) => size },
    { head: 'NEWEST', cell: () => 'n'.repeat(10), yields: 1 },
  ];
  const heads = (width?: number) =>
    table(columns, [{ name: 'n'.repeat(40), size: 1 }], { width })
      .split('\n')[0]
      ?.split(/ +/);
  expect(heads()).toEqual(['NAME', 'FIRST', 'SIZE', 'NEWEST']);
  expect(heads(54)).toEqual(['NAME', 'FIRST', 'SIZE', 'NEWEST']);
  expect(heads(53)).toEqual(['NAME', 'FIRST', 'SIZE']);
  expect(heads(41)).toEqual(['NAME', 'SIZE']);
  expect(heads(10)).toEqual(['NAME', 'SIZE']);
});

test('when a cell is coloured then its width does not change', () => {
  const paint: Paint = (style, text) => `<${style}>${text}</${style}>`;
  const columns: Column<Row>[] = [{ head: 'N', cell: ({ name }) => name, style: (p, text) => p('red', text) }, ...COLUMNS];
  expect(table(columns, [{ name: 'ab', size: 1 }], { paint }).split('\n')[1]).toBe('<red>ab</red>  ab       1');
});

test('when text is cut then no character is torn', () => {
  expect(cut('abc', 3)).toBe('abc');
  expect(cut('abcd', 3)).toBe('ab…');
  expect(cut('纸灯塔', 4)).toBe('纸…');
  expect(cut('👩‍👩‍👧x', 2)).toBe('…');
});

test('when facts are shown then names stand in one column and what is not known is left out', () => {
  expect(
    facts(
      [
        ['a', 1],
        ['long', 'x'],
        ['none', null],
        ['empty', ''],
      ],
      (_style, text) => text,
    ),
  ).toBe('a     1\nlong  x');
});
