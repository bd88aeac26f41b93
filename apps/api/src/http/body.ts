import type { SliceQueue } from '@grsai-jobs/runtime';
import type { Request, RequestHandler, Response } from 'express';
import { principalOf } from './auth.ts';
import type { BodyBudget } from './body-budget.ts';
import { type BodyRules, bodyStream, plainLength } from './body-stream.ts';
import { isJson } from './content-type.ts';
import { gatherBytes } from './gather-bytes.ts';
import { Problem } from './problem.ts';
import { parseStrictJson } from './strict-json.ts';

/** How a JSON body is read, beside its limit. */
export interface JsonBodyRules extends Pick<BodyRules, 'ratio'> {
  /** For routes whose bodies may be large. */
  budget?: BodyBudget;
  slices?: SliceQueue;
}

/** A limit for bodies that hold a few words. */
export const SMALL_BODY = 16 * 1024;

/** An honest job of text packs 3:1 to 10:1, pictures hardly. */
export const JOB_RATIO = { most: 20, from: 256 * 1024 };
/** A thousand jobs of one form pack up to 160:1. */
export const BATCH_RATIO = { most: 200, from: 256 * 1024 };

/** A short body has mostly come by the time that its key is known, and is taken at once; `null`: it is read as a stream. */
function atHand(request: Request, length: number): Uint8Array | null {
  if (length === 0 || request.readableLength !== length || request.headers.expect !== undefined) return null;
  const bytes = request.read() as Uint8Array | null;
  // Nothing comes behind it but the end of the request.
  request.resume();
  return bytes;
}

async function wholeBody(request: Request, response: Response, limit: number, rules: JsonBodyRules): Promise<Uint8Array> {
  const lease = rules.budget?.lease(principalOf(response).tenant, response);
  const length = plainLength(request);
  if (length !== null && length <= limit) lease?.hold(length);
  const gathered = gatherBytes(length === null ? limit : Math.min(length, limit));
  const whole = length !== null && length <= limit ? atHand(request, length) : null;
  if (whole !== null) {
    gathered.add(whole);
    return gathered.bytes();
  }
  for await (const chunk of bodyStream(request, response, { bytes: limit, ...(rules.ratio ? { ratio: rules.ratio } : {}) })) {
    lease?.hold(gathered.size() + chunk.length);
    gathered.add(chunk);
  }
  return gathered.bytes();
}

/** Reads the bytes of the body of a JSON route: 415 for another type, 413 above the limit. */
export const rawJsonBody =
  <P = Record<string, string>>(limitBytes: number, rules: JsonBodyRules = {}): RequestHandler<P> =>
  async (request, response, next) => {
    const type = request.headers['content-type'] ?? '';
    if (!isJson(type))
      throw new Problem(
        'unsupported_media_type',
        `Send the body as application/json${type ? `, not ${JSON.stringify(type.slice(0, 100))}` : ''}.`,
      );
    request.body = await wholeBody(request as unknown as Request, response as unknown as Response, limitBytes, rules);
    next();
  };

/** The same, and 400 for what is no strict JSON. */
export function jsonBody<P = Record<string, string>>(limitBytes: number, rules: JsonBodyRules = {}): RequestHandler<P>[] {
  return [
    rawJsonBody<P>(limitBytes, rules),
    async (request, response, next) => {
      const slices = rules.slices?.of(principalOf(response as unknown as Response).tenant);
      request.body = await parseStrictJson(request.body as Uint8Array, slices);
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
