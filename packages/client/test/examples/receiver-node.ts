import { createServer } from 'node:http';
import { expressWebhooks } from '@grsai-jobs/client/express';

const seen = new Set<string>();
const receive = expressWebhooks({
  secret: process.env['WEBHOOK_SECRET'] ?? '',
  onEvent: (event) => {
    // An event can come twice. In production: a unique column, written in one transaction with what the event changes.
    if (seen.has(event.id)) return;
    seen.add(event.id);
    if (event.type === 'batch.completed') console.log(event.data.id, event.data.status);
    else console.log(event.type, event.data.id);
  },
});
// With Express: app.post('/hooks', receive), before any app.use(express.json()).
const server = createServer(receive).listen(Number(process.env['PORT'] ?? 3000), () => console.log(server.address()));
