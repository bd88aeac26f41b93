import express, { type Request, type RequestHandler } from 'express';
import { Problem } from './problem.ts';
import { parseStrictJson } from './strict-json.ts';

/** Reads the body of a JSON route: 415 for another type, 413 above the limit, 400 for what is no strict JSON. */
export function jsonBody<P = Record<string, string>>(limitBytes: number): RequestHandler<P>[] {
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
    express.raw({ type: () => true, limit: limitBytes }) as RequestHandler<P>,
    (request, _response, next) => {
      const raw: unknown = request.body;
      request.body = parseStrictJson(raw instanceof Uint8Array ? raw : new Uint8Array());
      next();
    },
  ];
}

const hasBody = ({ headers }: Pick<Request, 'headers'>): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/** The same for a route whose body may be left out; `request.body` is undefined then. */
export const optionalJsonBody = <P = Record<string, string>>(limitBytes: number): RequestHandler<P>[] =>
  jsonBody<P>(limitBytes).map(
    (step): RequestHandler<P> =>
      (request, response, next) =>
        hasBody(request) ? step(request, response, next) : next(),
  );
