import type { IncomingHttpHeaders } from 'node:http';
import { AskError } from './ask-error.ts';

/** What a request may ask of the emulator by itself; each name works as `[[name=value]]` in the prompt and as header `x-emulator-name`. */
export const DIRECTIVES = {
  fault: 'a fault, as `F8:ms=5000`; may stand several times (in the header separated by `;`)',
  'task-ms': 'time of this task, ms',
  'chat-ms': 'time of this chat answer, ms',
  'delay-ms': 'wait before the request is judged: no task exists yet, ms',
  'hold-ack-ms': 'judge and charge at once, answer later, ms',
  'hold-ack': 'the same, until this name is released',
  outcome: 'succeeded, failed or violation',
  error: 'error text of a failed task; `@name` stands for a text of upstream',
  bytes: 'size of the result file, bytes',
  size: 'pixels of the result file, as 640x480',
  format: 'png, jpeg or jpeg-named-png',
  length: '`no`: the file comes without content-length',
  content: 'text beside the image',
  reply: 'what the chat answers',
  echo: 'what a refusal or the failure of the task repeats: none, model, prompt, prompt-first, both',
  outputs: 'how many result files, 1 to 10',
  'reply-bytes': 'length of the chat answer',
  pieces: 'most pieces of a streamed chat answer, 8 by default',
} as const;

export type DirectiveName = keyof typeof DIRECTIVES;

const IN_PROMPT = /\[\[([a-z-]+)=([^\]]*)\]\]/g;
const isName = (name: string): name is DirectiveName => Object.hasOwn(DIRECTIVES, name);

/** The directives of one request. A header wins over the prompt. */
export class Directives {
  readonly promptFaults: readonly string[];
  readonly headerFaults: readonly string[];
  readonly #values = new Map<DirectiveName, string>();

  /** Throws when the prompt or a header names a directive that does not exist. */
  constructor(prompt: string, headers: IncomingHttpHeaders) {
    const promptFaults: string[] = [];
    for (const [, name = '', value = ''] of prompt.matchAll(IN_PROMPT)) {
      if (!isName(name)) throw new AskError(`unknown directive ${name}`);
      if (name === 'fault') promptFaults.push(value);
      else this.#values.set(name, value);
    }
    for (const [header, value] of Object.entries(headers)) {
      if (!header.startsWith('x-emulator-')) continue;
      const name = header.slice('x-emulator-'.length);
      if (!isName(name)) throw new AskError(`unknown directive header ${header}`);
      this.#values.set(name, String(value));
    }
    this.promptFaults = promptFaults;
    this.headerFaults = (this.text('fault') ?? '').split(';').filter((spec) => spec.trim() !== '');
  }

  text(name: DirectiveName): string | undefined {
    return this.#values.get(name);
  }

  /** Throws when the value is not a number of at least 0. */
  number(name: DirectiveName): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (text.trim() === '' || !(value >= 0)) throw new AskError(`directive ${name} wants a number, not ${JSON.stringify(text)}`);
    return value;
  }
}

/** The prompt as the model would see it. */
export const withoutDirectives = (prompt: string): string => prompt.replaceAll(IN_PROMPT, '').trim();
