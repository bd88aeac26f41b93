import type { Point } from './trend.ts';

interface Line {
  readonly name: string;
  readonly points: readonly Point[];
}

export interface Panel {
  readonly title: string;
  readonly unit: string;
  /** What is written under the title. */
  readonly note: string;
  readonly lines: readonly Line[];
}

const WIDTH = 380;
const HEIGHT = 200;
const COLUMNS = 3;
const HEAD = 64;
/** Room of a panel around its plot. */
const ROOM = { left: 52, right: 12, top: 44, bottom: 26 };
const COLOURS = ['#1f6fb2', '#c2571a', '#6a8f2f', '#8a4fa3'];

const escaped = (text: string): string => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
const text = (x: number, y: number, words: string, more = ''): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${escaped(words)}</text>`;

/** Round values on an axis up to the maximum, from zero. */
function ticksTo(most: number, count: number): number[] {
  const rough = most / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((each) => each * power >= rough) ?? 10) * power;
  return Array.from({ length: Math.floor(most / step + 1e-9) + 1 }, (_, i) => i * step);
}

const short = (value: number): string =>
  value >= 1e6 ? `${value / 1e6}M` : value >= 1e4 ? `${value / 1e3}k` : String(Math.round(value * 1000) / 1000);

function drawPanel(panel: Panel, o: { seconds: number; faults: readonly number[]; x: number; y: number }): string {
  const plot = {
    ...{ x: o.x + ROOM.left, y: o.y + ROOM.top },
    ...{ width: WIDTH - ROOM.left - ROOM.right, height: HEIGHT - ROOM.top - ROOM.bottom },
  };
  const values = panel.lines.flatMap(({ points }) => points.map(([, value]) => value));
  const most = Math.max(...values, 1e-9) * 1.08;
  const atX = (t: number): number => plot.x + (plot.width * t) / o.seconds;
  const atY = (value: number): number => plot.y + plot.height * (1 - value / most);
  const floor = plot.y + plot.height;
  const label = 'font-size="10" fill="#555"';
  const sideTicks = ticksTo(most, 4).map(
    (tick) =>
      `<path d="M${plot.x} ${atY(tick).toFixed(1)}h${plot.width}" stroke="#e4e4e4"/>${text(plot.x - 5, atY(tick) + 3, short(tick), `${label} text-anchor="end"`)}`,
  );
  const minutes = ticksTo(o.seconds / 60, 6).map((minute) =>
    text(atX(minute * 60), floor + 13, `${short(minute)}${minute === 0 ? ' min' : ''}`, `${label} text-anchor="middle"`),
  );
  const faults = o.faults.map((t) => `M${atX(t).toFixed(1)} ${floor}v-4`).join('');
  const lines = panel.lines.map(({ points }, i) => {
    const path = points.map(([t, value]) => `${atX(t).toFixed(1)},${atY(value).toFixed(1)}`).join(' ');
    return `<polyline points="${path}" fill="none" stroke="${COLOURS[i % COLOURS.length]}" stroke-width="1.2"/>`;
  });
  const legend = panel.lines.length < 2 ? [] : panel.lines;
  return [
    text(o.x + 8, o.y + 16, `${panel.title}${panel.unit === '' ? '' : ` (${panel.unit})`}`, 'font-size="13" font-weight="600"'),
    `<text x="${o.x + WIDTH - ROOM.right}" y="${o.y + 16}" font-size="10" text-anchor="end">${legend.map(({ name }, i) => `<tspan dx="6" fill="${COLOURS[i % COLOURS.length]}">${escaped(name)}</tspan>`).join('')}</text>`,
    text(o.x + 8, o.y + 32, panel.note, 'font-size="10.5" fill="#555"'),
    ...sideTicks,
    ...minutes,
    `<path d="${faults}" stroke="#b00020" stroke-opacity="0.6" fill="none"/>`,
    `<path d="M${plot.x} ${plot.y}V${floor}H${plot.x + plot.width}" stroke="#888" fill="none"/>`,
    ...lines,
  ].join('\n');
}

/** All panels in one picture that needs nothing else. `faults`: seconds at which something was broken, as red marks on the axis. */
export function drawChart(o: {
  title: string;
  subtitle: string;
  seconds: number;
  faults: readonly number[];
  panels: readonly Panel[];
}): string {
  const height = HEAD + Math.ceil(o.panels.length / COLUMNS) * HEIGHT + 10;
  const panels = o.panels.map((panel, i) =>
    drawPanel(panel, { ...o, x: (i % COLUMNS) * WIDTH + 8, y: HEAD + Math.floor(i / COLUMNS) * HEIGHT }),
  );
  const width = COLUMNS * WIDTH + 16;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" fill="#222">`,
    `<title>${escaped(o.title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text(16, 26, o.title, 'font-size="17" font-weight="600"'),
    text(16, 46, o.subtitle, 'font-size="11.5" fill="#555"'),
    ...panels,
    '</svg>\n',
  ].join('\n');
}
