import type { Metrics } from './metrics.ts';

/** What runs here: the name of the build, and the version of the form in which it keeps data in Redis. */
export interface Build {
  readonly id: string;
  readonly schema: number;
}

/** `build_info` is 1, with what runs as its labels. */
export function buildMetrics(metrics: Metrics, { id, schema }: Build): void {
  metrics.gauge('build_info', 'The build that runs, and its schema version', ['build', 'schema']).set({ build: id, schema }, 1);
}
