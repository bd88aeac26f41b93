import { HELP, parseOptions, repeatLine } from './options.ts';
import { runChaos } from './run.ts';

const options = parseOptions(process.argv.slice(2));
if (options === undefined) {
  console.log(HELP);
} else {
  console.log(repeatLine(options));
  const result = await runChaos(options);
  console.log(result.report);
  process.exit(result.findings.length === 0 ? 0 : 1);
}
