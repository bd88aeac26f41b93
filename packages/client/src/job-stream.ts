import { type CallOptions, withinStream } from './deadline.ts';
import { messagesOf, startAt, untilEnded } from './event-source.ts';
import { pathOf } from './paths.ts';
import { OUTAGE_MS } from './retry-policy.ts';
import type { Transport } from './transport.ts';
import type { Job } from './types.ts';

/** A piece of an answer, as upstream sent it: usually a `chat.completion.chunk`. */
export type ChatChunk = Record<string, unknown>;

/** What happens to the answer of a chat while it comes in. */
export type StreamEvent =
  /** `text`: what it adds to the text of the answer. */
  | { type: 'piece'; id: number; text: string; chunk: ChatChunk }
  /** Another attempt has begun: what came before counts no more. */
  | { type: 'reset'; id: number; attempt: number }
  /** The last one. `complete`: all of the answer came; it did not where it is stored and cannot be read now. */
  | { type: 'end'; id: number; status: Job['status']; complete: boolean };

export interface StreamOptions extends CallOptions {
  /** The `id` of an event that is known; those after it come. */
  after?: number | undefined;
  /** Milliseconds for which the service may be away without a break before it rejects (default 10 min). */
  outageMs?: number | undefined;
}

/** The answer of a chat piece by piece, each once, to the end of the job. */
export function streamOfJob(
  transport: Transport,
  id: string,
  { after = 0, outageMs = OUTAGE_MS, ...call }: StreamOptions,
): AsyncGenerator<StreamEvent, void, undefined> {
  return withinStream(call, (signal) => {
    const at = startAt(after);
    const source = { path: `${pathOf('jobs', id)}/stream`, signal, patience: { outageMs } };
    return untilEnded(transport, at, source, async function* () {
      for await (const message of messagesOf(transport, at, source)) {
        const event = readEvent(Number(message.id), message.event, JSON.parse(message.data) as never);
        if (event === undefined || event.id <= at.seq) continue;
        at.seq = event.id;
        at.ended = event.type === 'end';
        yield event;
      }
    });
  });
}

function readEvent(
  id: number,
  name: string,
  data: ChatChunk & { attempt: number; status: Job['status']; complete?: boolean },
): StreamEvent | undefined {
  if (name === 'message') return { type: 'piece', id, text: textIn(data), chunk: data };
  if (name === 'reset') return { type: 'reset', id, attempt: data.attempt };
  return name === 'end' ? { type: 'end', id, status: data.status, complete: data.complete ?? true } : undefined;
}

/** What a piece adds to the text of the first choice; of a list of parts the texts. */
function textIn(chunk: ChatChunk): string {
  const { choices } = chunk;
  const [choice] = Array.isArray(choices) ? (choices as { index?: unknown; delta?: { content?: unknown } }[]) : [];
  const content = choice?.index === undefined || choice.index === 0 ? choice?.delta?.content : undefined;
  const parts = Array.isArray(content) ? (content as { text?: unknown }[]).map((part) => part?.text) : [content];
  return parts.filter((part) => typeof part === 'string').join('');
}
