import { linesOf } from './lines.ts';

/** One message of an event stream. */
export interface SseMessage {
  /** The last one that was sent, of an earlier message too. */
  id: string;
  event: string;
  data: string;
}

/** The messages of an event stream (WHATWG HTML, 9.2); one that was cut is dropped, as the standard says. */
export async function* readEventStream(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<SseMessage, void, undefined> {
  let id = '';
  let event = '';
  let data: string[] = [];
  for await (const { line, ended } of linesOf(chunks)) {
    if (!ended) return;
    if (line === '') {
      if (data.length > 0) yield { id, event: event || 'message', data: data.join('\n') };
      event = '';
      data = [];
      continue;
    }
    const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === 'id' && !value.includes('\0')) id = value;
    else if (field === 'event') event = value;
    else if (field === 'data') data.push(value);
  }
}
