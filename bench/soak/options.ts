import { parseArgs } from 'node:util';

export interface SoakOptions {
  readonly minutes: number;
  /** Requests of callers in a second; undefined: half of what is measured first. */
  readonly load: number | undefined;
  readonly faults: boolean;
  /** Where the chart is copied to; undefined: nowhere. */
  readonly chart: string | undefined;
}

export const HELP = `pnpm soak [--minutes M] [--load N] [--no-faults] [--chart file.svg]

One API and two workers, as processes, under a mixed load for as long as you say, with faults; what they hold is looked at every 10 s.
At the end a chart, a table with the slope of each measure, and whether every accepted job has ended, nothing was paid for twice and every end
was told. All of it is in .data/soak/<time>/: samples.jsonl, keys.jsonl (keys by kind), chart.svg, report.txt and what the processes said.

  --minutes M    how long load and faults last (default 60)
  --load N       requests of callers in a second; a batch is one (default: half of a maximum that is measured for 30 s)
  --no-faults    nothing is killed, cut or refused
  --chart FILE   copies the chart there too
  --help         this text

The load: chats that wait in the queue, that are waited for, and by /openai/v1 with and without a stream; images whose results are asked for;
batches, cancels, deletes, streams of events; of five tenants, of which one may have few calls in flight, one few requests, and one a budget that
an operator raises. Worker 2 is killed with SIGKILL and started again; the API and worker 1 are not, and slopes are judged of these.

Ctrl-C ends the load, and all that is written at the end is written. Exit code 0 when nothing grows and every check holds, 1 when not, 2 for wrong options.`;

/** @returns undefined when help was asked for. @throws on what it does not know. */
export function parseOptions(args: readonly string[]): SoakOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '60' },
      load: { type: 'string' },
      'no-faults': { type: 'boolean', default: false },
      chart: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  return {
    minutes: positive('minutes', values.minutes),
    load: values.load === undefined ? undefined : positive('load', values.load),
    faults: !values['no-faults'],
    chart: values.chart,
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${name} must be a number above 0, not ${JSON.stringify(text)}`);
  return value;
}
