import type { BatchDoc } from '@grsai-jobs/jobs';

/** A batch with a webhook and every default. */
export const batchDocOf = (tenant: string): BatchDoc => ({
  webhook: { url: `https://${tenant}.receiver.example/hook`, events: ['batch.completed', 'batch.canceled', 'batch.expired'] },
  metadata: {},
  priority: 'normal',
  expires_in_s: 86_400,
  output: { url_ttl_s: 3600 },
});
