import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { waitUntil } from '../clock.ts';
import { Coder } from '../coding.ts';
import { Directives } from '../directives.ts';
import type { Exchange } from '../exchange.ts';
import type { Strikes } from '../faults.ts';
import { contentOf, type ResultFile } from '../files.ts';
import { refusalOf, strikeAfter, strikeBefore, strikeCoding } from '../transport.ts';
import type { World } from '../world.ts';

const NOT_FOUND = '<html><body>404 Not Found</body></html>';
const SLOW_PIECES = 8;
const ZEROS = Buffer.alloc(64 * 1024);

/** Answers of F18 that send nothing of the file. */
const REFUSALS: Readonly<Record<string, number>> = { '404': 404, '403': 403, '410': 410, '500': 500, '503': 503 };

/** `GET /file/<32 hex>.<ext>` (upstream.md §10.1), with the breakages of F18. */
export async function file(x: Exchange, world: World): Promise<void> {
  const found = world.files.find(x.url.pathname.slice('/file/'.length), world.clock.now());
  const moment = { phase: 'file', node: x.node, directives: new Directives('', x.request.headers) } as const;
  const strikes = world.plan.strikes(moment, found);
  strikeCoding(x, strikes);
  if (await strikeBefore(x, world, strikes)) return;
  if (await strikeAfter(x, world, strikes)) return;
  const no = refusalOf(strikes);
  if (no !== undefined) return x.send(no.status, 'text/plain; charset=utf-8', no.text);
  const form = strikes.as('F18');
  if (form === 'hang') return world.clock.wait(Number.POSITIVE_INFINITY, x.closed);
  if (found === undefined) return x.send(404, 'text/html', NOT_FOUND);
  if (x.request.method === 'GET') found.downloads++;
  const refusal = REFUSALS[form ?? ''];
  if (refusal !== undefined) return x.send(refusal, 'text/html', `<html><body>${refusal}</body></html>`);
  if (form === 'html') return x.send(200, 'text/html', '<html><body>Just a moment...</body></html>');
  if (form === 'not-media') return x.send(200, contentOf(found).type, '{"error":"file is being synchronized"}\n');
  if (form === 'empty') return x.send(200, contentOf(found).type, '');
  await sendContent(x, world, found, strikes);
}

async function sendContent(x: Exchange, world: World, found: ResultFile, strikes: Strikes): Promise<void> {
  const content = contentOf(found);
  const form = strikes.as('F18');
  const coder = x.coding === 'none' ? undefined : new Coder(x.coding);
  const packed = await coder?.whole(Buffer.concat([...content.pieces()]));
  const pieces = packed === undefined ? () => content.pieces() : () => [packed];
  const whole = form === 'large' ? strikes.number('F18', 'bytes') : (packed?.length ?? content.length);
  x.entry.status = 200;
  x.response.writeHead(200, {
    'content-type': form === 'type' ? 'text/plain; charset=utf-8' : content.type,
    ...(coder === undefined ? {} : { 'content-encoding': coder.header }),
    ...(found.lengthless ? {} : { 'content-length': whole }),
  });
  if (x.request.method === 'HEAD') return void x.response.end();
  const bytes = (): Buffer => Buffer.concat([...pieces()]);
  switch (form) {
    case 'truncated':
      return sendPart(x, bytes());
    case 'stall':
      await x.write(bytes().subarray(0, whole >> 1));
      return world.clock.wait(Number.POSITIVE_INFINITY, x.closed);
    case 'slow':
      return sendSlowly(x, world, bytes(), strikes.number('F18', 'ms'));
    case 'large':
      return sendAll(x, filledUp(bytes(), whole));
    default:
      return sendAll(x, pieces());
  }
}

/** It fails only when the client leaves. */
const sendAll = (x: Exchange, pieces: Iterable<Buffer>): Promise<void> =>
  pipeline(Readable.from(pieces), x.response).catch(() => x.cut());

/** The bytes, and zeros up to `length`; made as they are read. */
function* filledUp(bytes: Buffer, length: number): Generator<Buffer> {
  yield bytes;
  for (let left = length - bytes.length; left > 0; left -= ZEROS.length) yield ZEROS.subarray(0, left);
}

/** The first half, and then no connection. */
async function sendPart(x: Exchange, bytes: Buffer): Promise<void> {
  await x.write(bytes.subarray(0, bytes.length >> 1));
  x.cut();
}

/** Eight pieces with `pauseMs` before each. */
async function sendSlowly(x: Exchange, world: World, bytes: Buffer, pauseMs: number): Promise<void> {
  const size = Math.ceil(bytes.length / SLOW_PIECES);
  x.response.flushHeaders();
  const start = world.clock.now();
  for (let at = 0; at < bytes.length && !x.closed.aborted; at += size) {
    await waitUntil(world.clock, start + (at / size + 1) * pauseMs, x.closed);
    await x.write(bytes.subarray(at, at + size));
  }
  x.response.end();
}
