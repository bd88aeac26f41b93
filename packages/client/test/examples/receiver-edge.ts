import { webhookHandler } from '@grsai-jobs/client/webhooks';

/** Cloudflare Workers, `bun run`, `deno serve`; in Next.js: `export const POST = webhookHandler(…)`. */
export default {
  fetch: webhookHandler({
    secret: () => (process.env['WEBHOOK_SECRET'] ?? '').split(','),
    onEvent: async (event) => console.log(event.type, event.data.id),
  }),
};
