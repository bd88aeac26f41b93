import { isCoding } from './coding.ts';
import type { Exchange } from './exchange.ts';
import type { Strikes } from './faults.ts';
import { oddly } from './odd-fields.ts';
import { retryAfterText } from './retry-after.ts';
import { textOf } from './texts.ts';
import type { World } from './world.ts';

/** Faults of the way between client and service: they know nothing of tasks. */

/** Faults that can strike before the work is done or after. */
const TASK_OR_NOT = ['F4', 'F6', 'F9'] as const;

/** F23: how the answer is packed. */
export function strikeCoding(x: Exchange, strikes: Strikes): void {
  const coding = strikes.as('F23');
  if (coding !== undefined && isCoding(coding)) x.coding = coding;
}

/** F24: the words of a refusal and its HTTP status. */
export function refusalOf(strikes: Strikes): { readonly text: string; readonly status: number } | undefined {
  const name = strikes.as('F24');
  if (name === undefined) return undefined;
  return { text: strikes.text('F24', 'text') || textOf(`@${name}`), status: strikes.number('F24', 'status') };
}

/** Does a fault answer before anything is judged? */
export const strikesBefore = (strikes: Strikes): boolean =>
  strikes.has('F3') || strikes.has('F5') || TASK_OR_NOT.some((id) => strikes.has(id) && strikes.text(id, 'task') === 'no');

const page = (title: string): string =>
  `<html>\r\n<head><title>${title}</title></head>\r\n<body><center><h1>${title}</h1></center></body>\r\n</html>\r\n`;

const REASONS: Readonly<Record<string, string>> = {
  '500': 'Internal Server Error',
  '502': 'Bad Gateway',
  '503': 'Service Temporarily Unavailable',
  '504': 'Gateway Time-out',
};

export function tooLarge(x: Exchange): void {
  // The rest of the body is still read, or the client would meet a reset before it sees the answer.
  x.request.resume();
  x.send(413, 'text/html', page('413 Request Entity Too Large'));
}

/** A 429; neither body nor header is attested (upstream.md §10.3). */
export function tooMany(x: Exchange, retryAfter: string | undefined, as: 'json' | 'empty' = 'json'): void {
  const headers: Record<string, string> = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
  if (as === 'empty') x.send(429, 'text/plain', '', headers);
  else x.json(429, { error: { message: 'Too many requests' } }, headers);
}

function proxyPage(x: Exchange, strikes: Strikes): void {
  const status = strikes.text('F4', 'status') ?? '502';
  const title = `${status} ${REASONS[status] ?? 'Error'}`;
  if (strikes.as('F4') === 'text') x.send(Number(status), 'text/plain; charset=utf-8', `${title}\n`);
  else x.send(Number(status), 'text/html', page(title));
}

const retryAfterOf = (strikes: Strikes, world: World): string | undefined =>
  retryAfterText(strikes.text('F3', 'retry-after') ?? '', strikes.text('F3', 'unit') ?? '', world.clock.now());

/** F3, F5, and F4, F6 and F9 without a task, before anything is judged. True when the request is dealt with. */
export async function strikeBefore(x: Exchange, world: World, strikes: Strikes): Promise<boolean> {
  if (strikes.has('F3')) tooMany(x, retryAfterOf(strikes, world), strikes.as('F3') === 'empty' ? 'empty' : 'json');
  else if (strikes.has('F4') && strikes.text('F4', 'task') !== 'yes') proxyPage(x, strikes);
  else if (strikes.has('F5')) tooLarge(x);
  else if (strikes.has('F6') && strikes.text('F6', 'task') === 'no') x.cut(cutOf(strikes));
  else if (strikes.has('F9')) await junk(x, world, strikes);
  else return false;
  return true;
}

/** F22, then F4, F6 and F9 with a task, once the work is done and charged. True when the request is dealt with. */
export async function strikeAfter(x: Exchange, world: World, strikes: Strikes): Promise<boolean> {
  if (strikes.has('F22')) await world.clock.wait(strikes.number('F22', 'ms'), x.closed);
  if (x.closed.aborted) return true;
  if (strikes.has('F4')) proxyPage(x, strikes);
  else if (strikes.has('F6')) x.cut(cutOf(strikes));
  else if (strikes.has('F9')) await junk(x, world, strikes);
  else return false;
  return true;
}

const cutOf = (strikes: Strikes): 'reset' | 'close' => (strikes.as('F6') === 'close' ? 'close' : 'reset');

async function junk(x: Exchange, world: World, strikes: Strikes): Promise<void> {
  switch (strikes.as('F9')) {
    case 'html':
      return x.send(200, 'text/html', page('Welcome'));
    case 'no-id':
      return x.json(200, { status: 'running' });
    case 'truncated':
      return x.send(200, 'application/json', '{"id":"6-3d0c9f52-7a41-4e0b-9c55-1b2a60f4d7e1","status":"succ');
    case 'timeout':
      await world.clock.wait(strikes.number('F9', 'ms'), x.closed);
      return x.cut('close');
    case 'reset':
      return x.cut('reset');
    default:
      return x.send(200, 'application/json', '');
  }
}

/** Sends a JSON answer, or sends it strangely (F7). Resolves when all of it has left. */
export async function sendJson(
  x: Exchange,
  world: World,
  strikes: Strikes,
  status: number,
  value: unknown,
  type?: string,
): Promise<void> {
  const text = JSON.stringify(oddly(value, strikes));
  const form = strikes.as('F7');
  if (form === undefined) return x.send(status, type ?? 'application/json; charset=utf-8', text);
  if (form === 'chunks') return sendInPieces(x, status, text, strikes.number('F7', 'bytes'));
  x.begin(status, form === 'open' ? 'application/json; charset=utf-8' : 'text/event-stream');
  await x.write(form === 'open' ? text : `data: ${text}\n\n`);
  x.whole();
  if (form !== 'sse') await world.clock.wait(strikes.number('F7', 'ms'), x.closed);
  await x.end();
}

/** Pieces of a few bytes, each in a packet of its own; a snowman makes sure that one of them ends inside a character. */
async function sendInPieces(x: Exchange, status: number, text: string, size: number): Promise<void> {
  const bytes = Buffer.from(text.replace(/\}$/, ',"note":"☃"}'));
  x.begin(status, 'application/json');
  for (let at = 0; at < bytes.length; at += Math.max(1, size)) {
    await x.write(bytes.subarray(at, at + Math.max(1, size)));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await x.end();
}
