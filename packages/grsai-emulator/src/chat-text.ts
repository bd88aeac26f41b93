import type { Directives } from './directives.ts';
import { withoutDirectives } from './directives.ts';

/** The text of all messages; parts that are not text count nothing. Undefined when `messages` is not what the API takes. */
export function promptOf(messages: unknown): string | undefined {
  if (!Array.isArray(messages) || messages.length === 0) return undefined;
  const texts: string[] = [];
  for (const message of messages as readonly unknown[]) {
    const text = typeof message === 'object' && message !== null && 'content' in message ? textOf(message.content) : undefined;
    if (text === undefined) return undefined;
    texts.push(text);
  }
  return texts.join('\n');
}

function textOf(content: unknown): string | undefined {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return undefined;
  return (content as readonly unknown[])
    .map((part) =>
      typeof part === 'object' && part !== null && 'text' in part && typeof part.text === 'string' ? part.text : '',
    )
    .join('');
}

/** What the model says: the directive's text, or the question again; filled up or cut to the length asked for. */
export function replyTo(prompt: string, directives: Directives): string {
  const text = directives.text('reply') ?? `You said: ${withoutDirectives(prompt)}`;
  const bytes = directives.number('reply-bytes');
  return bytes === undefined ? text : `${text} `.repeat(Math.ceil(bytes / (text.length + 1))).slice(0, bytes);
}

/** A rough count, as nobody checks it. */
export const tokensIn = (text: string): number => Math.ceil(text.length / 4);

/** The text in at most `most` pieces, cut between words where it has any. */
export function piecesOf(text: string, most = 8): string[] {
  const words = text.match(/\S+\s*|\s+/g) ?? [''];
  const size = Math.max(1, Math.ceil(words.length / most));
  return Array.from({ length: Math.ceil(words.length / size) }, (_, i) => words.slice(i * size, (i + 1) * size).join(''));
}
