/** Reads an answer as it comes in, and says each piece; over a service that is killed and started again. */
import { GrsaiJobs } from '@grsai-jobs/client';

const client = new GrsaiJobs();
const content = '[[chat-ms=6000]][[pieces=30]]one two three four five six seven eight nine ten';
const input = { model: 'gemini-3.1-pro', messages: [{ role: 'user' as const, content }], stream: true };
const { id } = await client.jobs.create({ type: 'chat', input });
let said = '';
for await (const event of client.jobs.stream(id)) {
  if (event.type === 'reset') said = '';
  if (event.type === 'piece') said += event.text;
  console.log(event.type === 'piece' ? `piece: ${event.text}` : event.type);
}
console.log(said);
