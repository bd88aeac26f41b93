/** Text that comes in pieces, cut anywhere. */

/** The lines of a text, as soon as each is whole; `\n`, `\r\n` and `\r` end one. What follows the last end comes as `rest`. */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  ends: RegExp = /\r\n|\n|\r/,
): AsyncGenerator<{ line: string; ended: boolean }, void, undefined> {
  // Node takes a byte order mark away that is none, where the first character was cut (_measured_ with 24).
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let begun = false;
  let rest = '';
  for await (const chunk of chunks) {
    let text = rest + decoder.decode(chunk, { stream: true });
    if (!begun && text !== '') {
      begun = true;
      text = text.replace(/^\uFEFF/, '');
    }
    // Whether a carriage return is a whole end is known by what follows it.
    const held = text.endsWith('\r') ? 1 : 0;
    const lines = text.slice(0, text.length - held).split(ends);
    rest = (lines.pop() ?? '') + text.slice(text.length - held);
    for (const line of lines) yield { line, ended: true };
  }
  const lines = (rest + decoder.decode()).split(ends);
  const last = lines.pop() ?? '';
  for (const line of lines) yield { line, ended: true };
  if (last !== '') yield { line: last, ended: false };
}
