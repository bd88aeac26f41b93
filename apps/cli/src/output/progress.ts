import type { Host } from '../host.ts';
import { duration } from './format.ts';
import { cut } from './table.ts';

export interface Progress {
  /** The state of things; on a terminal at once, elsewhere now and then. `share` draws a bar. */
  update(text: string, share?: Share): void;
  /** A state that is worth a line of its own also where nothing can be drawn again. */
  step(text: string): void;
  /** A line that stays, above the bar. */
  note(line: string): void;
  /** Takes the bar away; what comes next is another stretch of work, with a pace of its own. */
  end(): void;
}

interface Share {
  done: number;
  total: number;
}

const BAR = 24;
const REDRAW_MS = 100;
const PLAIN_EVERY_MS = 10_000;

/** Progress on stderr: one line that is drawn again on a terminal, elsewhere a plain line every 10 s when something changed. */
export function createProgress(host: Host): Progress {
  const screen = host.stderr;
  const live = screen.isTTY === true && host.env['TERM'] !== 'dumb';
  let from: { at: number; done: number } | undefined;
  let drawnAt = Number.NEGATIVE_INFINITY;
  let drawn = '';

  const draw = (line: string): void => {
    if (line === drawn) return;
    drawnAt = host.now();
    screen.write(live ? `\r\x1b[2K${cut(line, (screen.columns ?? 80) - 1)}` : `${line}\n`);
    drawn = line;
  };
  const clear = (): void => {
    if (!live) return;
    if (drawn !== '') screen.write('\r\x1b[2K');
    drawn = '';
    drawnAt = Number.NEGATIVE_INFINITY;
  };
  return {
    update(text, share) {
      from ??= { at: host.now(), done: share?.done ?? 0 };
      if (host.now() - drawnAt < (live ? REDRAW_MS : PLAIN_EVERY_MS)) return;
      const rest = share ? remaining(share, host.now() - from.at, from.done) : '';
      draw(`${live && share ? `${bar(share)} ` : ''}${text}${rest}`);
    },
    step: draw,
    note(line) {
      clear();
      screen.write(`${line}\n`);
    },
    end() {
      clear();
      from = undefined;
      drawn = '';
      drawnAt = Number.NEGATIVE_INFINITY;
    },
  };
}

export function bar({ done, total }: Share): string {
  const share = total === 0 ? 0 : Math.min(1, done / total);
  const full = Math.floor(share * BAR);
  const percent = String(Math.floor(share * 100)).padStart(3);
  return `${'█'.repeat(full)}${'░'.repeat(BAR - full)} ${percent} %`;
}

/** By the pace since `before` of them were done; nothing until a twentieth of the rest is done, and a second over. */
export function remaining({ done, total }: Share, elapsedMs: number, before = 0): string {
  const made = done - before;
  if (done >= total || made <= 0 || made < (total - before) / 20 || elapsedMs < 1000) return '';
  return `, about ${duration((elapsedMs / made) * (total - done))} left`;
}
