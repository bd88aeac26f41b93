import express, { type RequestHandler } from 'express';
import { Problem } from './problem.ts';
import { parseStrictJson } from './strict-json.ts';

/** Reads the body of a JSON route: 415 for another type, 413 above the limit, 400 for what is no strict JSON. */
export function jsonBody(limitBytes: number): RequestHandler[] {
  return [
    (request, _response, next) => {
      const type = request.headers['content-type'] ?? '';
      if (!/^application\/json\s*(;|$)/i.test(type))
        throw new Problem(
          'unsupported_media_type',
          `Send the body as application/json${type ? `, not ${JSON.stringify(type.slice(0, 100))}` : ''}.`,
        );
      next();
    },
    express.raw({ type: () => true, limit: limitBytes }),
    (request, _response, next) => {
      const raw: unknown = request.body;
      request.body = parseStrictJson(raw instanceof Uint8Array ? raw : new Uint8Array());
      next();
    },
  ];
}
