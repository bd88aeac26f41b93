import { expressWebhooks } from '@grsai-jobs/client/express';
import express from 'express';

/** Webhooks into an Express app. WEBHOOK_SECRET is `GET /v1/webhook-secret`; during a rotation both secrets, separated by a comma. */

const app = express();
// In production: a unique column, written in one transaction with what the event changes.
const seen = new Set<string>();

app.post(
  '/hooks',
  // It reads the raw body, so it stands before any app.use(express.json()).
  expressWebhooks({
    secret: (process.env['WEBHOOK_SECRET'] ?? '').split(','),
    onEvent: (event) => {
      if (seen.has(event.id)) return;
      seen.add(event.id);
      console.log(event.type, event.data.id, event.data.status);
    },
  }),
);
app.use(express.json());

const server = app.listen(Number(process.env['PORT'] ?? 3000), () => console.log('listening', server.address()));
