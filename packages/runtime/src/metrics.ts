import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Counters and gauges of one process under the prefix `grsai_jobs_`. Labels never hold ids, tenants or URLs. */
export interface Metrics {
  counter(name: string, help: string, labels?: readonly string[]): Counter;
  gauge(name: string, help: string, labels?: readonly string[]): Gauge;
  histogram(name: string, help: string, labels: readonly string[], buckets: readonly number[]): Histogram;
  /** Runs before each exposition, which waits for it: for what is asked only when somebody looks. It must not throw. */
  beforeExpose(step: () => Promise<void>): void;
  /** The exposition text and its content type. */
  expose(): Promise<{ contentType: string; text: string }>;
}

const METRICS_PREFIX = 'grsai_jobs_';

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: METRICS_PREFIX });
  const steps: (() => Promise<void>)[] = [];
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
    beforeExpose: (step) => {
      steps.push(step);
    },
    expose: async () => {
      await Promise.all(steps.map((step) => step()));
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
}
