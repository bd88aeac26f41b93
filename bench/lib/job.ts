import type { BenchJob } from './contender.ts';

/** The size of a job's `input` as JSON. */
const INPUT_BYTES = 500;

/** A receiver that nobody asks. It is no port of the installation's own (`startOurApi`): those are refused as receivers. */
export const NOWHERE = 'http://127.0.0.1:19/hooks';

/** A chat job with an input of 500 bytes and a webhook: what every row sends, to both sides. */
export function chatJob(webhookUrl: string) {
  const input = (text: string) => ({ model: 'gemini-3.1-pro', messages: [{ role: 'user', content: text }] });
  const room = INPUT_BYTES - Buffer.byteLength(JSON.stringify(input('')));
  return {
    type: 'chat',
    input: input('Describe a paper lighthouse on a foggy desk. '.repeat(20).slice(0, room)),
    webhook: { url: webhookUrl },
  };
}

export type ChatJob = ReturnType<typeof chatJob>;

/** The same job as an item of a batch, without a webhook of its own. */
export function batchLine(i: number) {
  const { type, input } = chatJob('');
  return { custom_id: `line-${i}`, type, input };
}

/** The same job as the sides of a comparison take it. */
export function benchChat(webhookUrl: string): BenchJob {
  return { type: 'chat', input: chatJob('').input, metadata: {}, webhookUrl };
}

/** An image job that its task and its webhook are known by (`stand-ins/pictures.ts`). */
export const benchImage = (n: number, webhookUrl: string): BenchJob => ({
  type: 'image',
  input: { model: 'nano-banana-2', prompt: `a paper lighthouse on a foggy desk, number ${n}` },
  metadata: { n: String(n) },
  webhookUrl,
});
