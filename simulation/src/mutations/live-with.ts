import fs from 'node:fs';
import { registerHooks, syncBuiltinESMExports } from 'node:module';
import { denseLife } from './dense-life.ts';
import { type Mutation, mutated } from './mutation.ts';

const ROOT = new URL('../../../', import.meta.url);

/** Whoever loads or reads the file of the mutation in this process from now on gets it as the mutation has it. */
function mutate(mutation: Mutation): void {
  const { href } = new URL(mutation.file, ROOT);
  const text = mutated(fs.readFileSync(new URL(href), 'utf8'), mutation);
  if (!mutation.file.endsWith('.lua')) {
    registerHooks({
      load: (url, context, next) => {
        const loaded = next(url, context);
        return url === href ? { ...loaded, source: text } : loaded;
      },
    });
    return;
  }
  const { readFileSync } = fs;
  fs.readFileSync = ((path: unknown, ...more: unknown[]) =>
    String(path) === href ? text : Reflect.apply(readFileSync, fs, [path, ...more])) as typeof readFileSync;
  syncBuiltinESMExports();
}

/** Lives as short as these are over some minutes after their last fault. */
const ENDS_WITHIN_MS = 45 * 60_000;

/**
 * Lives with a mutation until one life breaks a promise, and answers which, or `nothing` when `forMs` of processor time are over.
 * Must be called before anything of the product is loaded.
 */
export async function liveWith(mutation: Mutation, forMs: number): Promise<string> {
  mutate(mutation);
  const [{ live }, { Scripts }] = await Promise.all([import('../world/live.ts'), import('../redis/lua/scripts.ts')]).catch(
    (error: unknown) => {
      throw new Error('INVALID: a service with this mutation does not start', { cause: error });
    },
  );
  const scripts = new Scripts();
  const usedMs = () => process.cpuUsage().user / 1000;
  const until = usedMs() + forMs;
  const first = Date.now().toString(36);
  for (let n = 1; usedMs() < until; n += 1) {
    const seed = `${first}-${n}`;
    const { violations } = await live(denseLife(seed, n), { scripts, endsWithinMs: ENDS_WITHIN_MS });
    const found = violations[0];
    if (found !== undefined) return `${found.about} (seed ${seed}, life ${n}) ${found.what}`.replaceAll('\n', ' ');
  }
  return 'nothing';
}
