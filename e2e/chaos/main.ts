import { type ChaosOptions, HELP, parseOptions, repeatLine } from './options.ts';
import { runChaos } from './run.ts';

/** Options from the command line; says what is wrong with them and ends with 2, or helps and ends with 0. */
function optionsOrEnd(): ChaosOptions {
  try {
    const options = parseOptions(process.argv.slice(2));
    if (options !== undefined) return options;
    console.log(HELP);
    process.exit(0);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    process.exit(2);
  }
}

const options = optionsOrEnd();
console.log(repeatLine(options));
try {
  const result = await runChaos(options);
  console.log(result.report);
  process.exit(result.findings.length === 0 ? 0 : 1);
} catch (error) {
  console.error(`seed ${options.seed}: the run itself broke, nothing was checked:`, error);
  process.exit(3);
}
