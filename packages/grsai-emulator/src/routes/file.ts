import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { waitUntil } from '../clock.ts';
import { Directives } from '../directives.ts';
import type { Exchange } from '../exchange.ts';
import type { Strikes } from '../faults.ts';
import { contentOf, type ResultFile } from '../files.ts';
import { strikeAfter, strikeBefore } from '../transport.ts';
import type { World } from '../world.ts';

const NOT_FOUND = '<html><body>404 Not Found</body></html>';
const SLOW_PIECES = 8;

/** `GET /file/<32 hex>.<ext>` (grsai-api §10.1), with the breakages of F18. */
export async function file(x: Exchange, world: World): Promise<void> {
  const found = world.files.find(x.url.pathname.slice('/file/'.length), world.clock.now());
  const moment = { phase: 'file', node: x.node, directives: new Directives('', x.request.headers) } as const;
  const strikes = world.plan.strikes(moment, found);
  if (await strikeBefore(x, world, strikes)) return;
  if (await strikeAfter(x, world, strikes)) return;
  if (found === undefined) return x.send(404, 'text/html', NOT_FOUND);
  if (x.request.method === 'GET') found.downloads++;
  const form = strikes.as('F18');
  const refusals: Readonly<Record<string, number>> = { '404': 404, '403': 403, '500': 500, '503': 503 };
  const refusal = refusals[form ?? ''];
  if (refusal !== undefined) return x.send(refusal, 'text/html', `<html><body>${refusal}</body></html>`);
  if (form === 'html') return x.send(200, 'text/html', '<html><body>Just a moment...</body></html>');
  if (form === 'empty') return x.send(200, contentOf(found).type, '');
  await sendContent(x, world, found, strikes);
}

async function sendContent(x: Exchange, world: World, found: ResultFile, strikes: Strikes): Promise<void> {
  const { length, pieces, type } = contentOf(found);
  const form = strikes.as('F18');
  x.entry.status = 200;
  x.response.writeHead(200, {
    'content-type': form === 'type' ? 'text/plain; charset=utf-8' : type,
    ...(found.lengthless ? {} : { 'content-length': length }),
  });
  if (x.request.method === 'HEAD') return void x.response.end();
  if (form === 'truncated') return sendPart(x, Buffer.concat([...pieces()]).subarray(0, length >> 1));
  if (form === 'slow') return sendSlowly(x, world, Buffer.concat([...pieces()]), strikes.number('F18', 'ms'));
  // It fails only when the client leaves.
  await pipeline(Readable.from(pieces()), x.response).catch(() => x.cut());
}

async function sendPart(x: Exchange, part: Buffer): Promise<void> {
  await x.write(part);
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
