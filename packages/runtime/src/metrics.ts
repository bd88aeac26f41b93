import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Counters and gauges of one process under the prefix `grsai_jobs_`. Labels never hold ids, tenants or URLs. */
export interface Metrics {
  counter(name: string, help: string, labels?: readonly string[]): Counter;
  gauge(name: string, help: string, labels?: readonly string[]): Gauge;
  histogram(name: string, help: string, labels: readonly string[], buckets: readonly number[]): Histogram;
  /** The exposition text and its content type. */
  expose(): Promise<{ contentType: string; text: string }>;
}

const METRICS_PREFIX = 'grsai_jobs_';

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: METRICS_PREFIX });
  const base = (name: string, help: string, labels: readonly string[]) => ({
    name: `${METRICS_PREFIX}${name}`,
    help,
    labelNames: [...labels],
    registers: [registry],
  });
  return {
    counter: (name, help, labels = []) => new Counter(base(name, help, labels)),
    gauge: (name, help, labels = []) => new Gauge(base(name, help, labels)),
    histogram: (name, help, labels, buckets) => new Histogram({ ...base(name, help, labels), buckets: [...buckets] }),
    expose: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}
