import { GrsaiJobs } from '@grsai-jobs/client';

const client = new GrsaiJobs();
const messages = [{ role: 'user' as const, content: 'Say hello' }];
const { id } = await client.jobs.create({ type: 'chat', input: { model: 'gemini-3.1-pro', messages, stream: true } });
let said = '';
for await (const event of client.jobs.stream(id)) {
  if (event.type === 'piece') said += event.text;
  if (event.type === 'reset') said = '';
}
console.log(said);
