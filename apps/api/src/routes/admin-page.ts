import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import type { SignLink } from '@grsai-jobs/jobs';
import { type Request, type Response, Router } from 'express';
import { Problem } from '../http/problem.ts';

const FOLDER = new URL('../http/admin-page/', import.meta.url);

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/**
 * Nothing but what stands in the page's folder, no markup made of text by a script, and images from the store. What a
 * tenant writes could do nothing even if it became markup.
 */
const policy = (imageOrigin: string | null): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    `img-src 'self'${imageOrigin === null ? '' : ` ${imageOrigin}`}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');

const HEADERS = {
  'Cache-Control': 'no-store',
  'X-Frame-Options': 'DENY',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

interface Asset {
  type: string;
  bytes: Buffer;
}

/** Read once, so that a name of a request is never a path. */
function readAssets(): ReadonlyMap<string, Asset> {
  const names = readdirSync(FOLDER).filter((name) => TYPES[extname(name)] !== undefined);
  return new Map(names.map((name) => [name, { type: TYPES[extname(name)] ?? '', bytes: readFileSync(new URL(name, FOLDER)) }]));
}

/** The page for operators at `/admin`: static and without secrets, over the admin API, which asks for a key. */
export function adminPageRoutes(o: { sign: SignLink }): Router {
  const router = Router();
  const assets = readAssets();
  // Where links to stored images lead. Without credentials none can be signed: the page then works without images.
  const imageOrigin = () =>
    o.sign('-', 1).then(
      ({ url }) => new URL(url).origin,
      () => null,
    );

  const send = async (name: string, response: Response) => {
    const asset = assets.get(name);
    if (asset === undefined) throw new Problem('not_found', 'The page for operators has no such part.');
    response
      .set({ ...HEADERS, 'Content-Security-Policy': policy(await imageOrigin()), 'Content-Type': asset.type })
      .send(asset.bytes);
  };

  router.get('/admin', (_request, response) => send('index.html', response));
  router.get('/admin/assets/:name', (request: Request<{ name: string }>, response) => send(request.params.name, response));
  return router;
}
