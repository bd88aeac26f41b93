import { npmStart } from '../lib/npm-start.ts';
import type { Row } from '../lib/row.ts';
import { median } from '../lib/sample.ts';

/** Its first run does not count: it installs what is missing, and the machine reads the files of the tree into memory. */
export const start: Row = {
  name: 'start',
  measures: [{ what: '`npm start` on an installed tree to ready', against: '–', unit: 's', aim: { is: 'at most', value: 5 } }],
  rounds: 5,
  seconds: 20,
  async run({ rounds, say }) {
    say(`not counted: ${(await npmStart()).seconds.toFixed(1)} s`);
    const figures: number[] = [];
    const own: number[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const started = await npmStart();
      figures.push(started.seconds);
      own.push(started.own);
      say(`round ${round}/${rounds}: ${started.seconds.toFixed(1)} s, by its own clock ${started.own.toFixed(1)} s`);
    }
    const notes = [
      `with all stand-ins (Redis, S3 server, emulator, keys) and what earlier starts left in .data/; ${median(own).toFixed(1)} s by its own clock, which does not count npm and the look at what is installed`,
    ];
    return [{ figures, notes }];
  },
};
