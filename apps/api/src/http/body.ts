import express, { type Request, type RequestHandler } from 'express';
import { isJson } from './content-type.ts';
import { letBodyCome } from './expect-continue.ts';
import { Problem } from './problem.ts';
import { parseStrictJson } from './strict-json.ts';

/** Reads the bytes of the body of a JSON route: 415 for another type, 413 above the limit. */
export function rawJsonBody<P = Record<string, string>>(limitBytes: number): RequestHandler<P>[] {
  return [
    (request, response, next) => {
      const type = request.headers['content-type'] ?? '';
      if (!isJson(type))
        throw new Problem(
          'unsupported_media_type',
          `Send the body as application/json${type ? `, not ${JSON.stringify(type.slice(0, 100))}` : ''}.`,
        );
      letBodyCome(request, response);
      next();
    },
    express.raw({ type: () => true, limit: limitBytes }) as RequestHandler<P>,
    (request, _response, next) => {
      if (!(request.body instanceof Uint8Array)) request.body = new Uint8Array();
      next();
    },
  ];
}

/** The same, and 400 for what is no strict JSON. */
export function jsonBody<P = Record<string, string>>(limitBytes: number): RequestHandler<P>[] {
  return [
    ...rawJsonBody<P>(limitBytes),
    (request, _response, next) => {
      request.body = parseStrictJson(request.body as Uint8Array);
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
