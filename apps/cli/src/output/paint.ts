import { styleText } from 'node:util';
import type { Host, Screen } from '../host.ts';

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** Colours a text, or leaves it as it is. */
export type Paint = (style: Style, text: string) => string;

export const plain: Paint = (_style, text) => text;

const coloured: Paint = (style, text) => styleText(style, text, { validateStream: false });

/** Colours only for a person at a terminal who has not said no (https://no-color.org). */
export const paintFor = (screen: Screen, env: Host['env']): Paint =>
  screen.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb' ? coloured : plain;

const STATUS_STYLES: Readonly<Record<string, Style>> = {
  succeeded: 'green',
  completed: 'green',
  delivered: 'green',
  failed: 'red',
  running: 'cyan',
  queued: 'dim',
  pending: 'dim',
  canceled: 'yellow',
  canceling: 'yellow',
  expired: 'yellow',
  paused: 'yellow',
};

/** A status in its colour. */
export function paintStatus(paint: Paint, status: string, text = status): string {
  const style = STATUS_STYLES[status];
  return style === undefined ? text : paint(style, text);
}
