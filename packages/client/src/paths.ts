export const pathOf = (kind: 'jobs' | 'batches' | 'models' | 'webhook-deliveries', id: string): string =>
  `/v1/${kind}/${encodeURIComponent(id)}`;
