import { once } from 'node:events';
import type { BusboyFileStream } from '@fastify/busboy';
import type { Request, Response } from 'express';
import { principalOf } from './auth.ts';
import type { BodyBudget } from './body-budget.ts';
import { bodyStream } from './body-stream.ts';
import { formParser, isMultipart, tooMuch, unreadable } from './multipart.ts';
import { Problem } from './problem.ts';

/** What a form with one large file may be. Sizes in bytes. */
export interface FileFormRules {
  fields: number;
  fieldBytes: number;
  fileBytes: number;
  /** What taking the file over holds in memory, however large it is. */
  held: number;
  budget: BodyBudget;
}

/** The file of a form, as it comes. */
export interface ComingFile {
  /** Of the field. */
  field: string;
  name: string;
  /** Ends with what is wrong when the form comes to nothing. */
  bytes: AsyncIterable<Uint8Array>;
  /** Fires when the form comes to nothing. */
  signal: AbortSignal;
  /** The fields that came before it. */
  before: readonly (readonly [name: string, value: string])[];
}

/** What a form takes beside its file. */
const AROUND_BYTES = 64 * 1024;

/**
 * Reads a form whose one file goes on as it comes, no faster than `take` takes it, so that memory is constant.
 * @throws Problem 415 for another type, 413 beyond the limits, 400 for a form that is broken or has no end; what `take` rejects with
 */
export async function readFileForm<T>(
  request: Request,
  response: Response,
  rules: FileFormRules,
  take: (file: ComingFile) => Promise<T>,
): Promise<{ fields: [name: string, value: string][]; file: T | undefined }> {
  if (!isMultipart(request.headers['content-type']))
    throw new Problem('unsupported_media_type', 'Send the body as multipart/form-data.');
  rules.budget.lease(principalOf(response).tenant, response).hold(rules.held);
  const fields: [string, string][] = [];
  const parser = formParser(request, { ...rules, files: 1 });
  const failed = Promise.withResolvers<never>();
  // Whoever waits for it is told; until then it is nobody's.
  failed.promise.catch(() => undefined);
  const abort = new AbortController();
  const fail = (error: unknown) => {
    failed.reject(error);
    abort.abort(error);
  };
  let taken: Promise<T> | undefined;
  const read = new Promise<void>((resolve) => void parser.on('finish', () => resolve()));
  parser.on('field', (name, value, nameCut, valueCut) => {
    if (nameCut || valueCut) fail(tooMuch(`The field ${JSON.stringify(name)} is limited to ${rules.fieldBytes} bytes`));
    else fields.push([name, value]);
  });
  parser.on('file', (field, stream, name) => {
    // Also when nobody reads it any more: an error without a listener ends the process.
    stream.on('error', (error: Error) => fail(unreadable(error.message)));
    const tooLarge = () => fail(tooMuch(`The file of ${JSON.stringify(field)} is limited to ${rules.fileBytes} bytes`));
    const bytes = upTo(rules.fileBytes, stream, abort.signal, tooLarge);
    taken = take({ field, name: String(name ?? ''), bytes, signal: abort.signal, before: [...fields] });
    taken.catch(fail);
  });
  parser.on('filesLimit', () => fail(tooMuch('A form is limited to 1 file')));
  parser.on('fieldsLimit', () => fail(tooMuch(`A form is limited to ${rules.fields} fields`)));
  parser.on('error', (error) => fail(unreadable(error instanceof Error ? error.message : 'it is broken')));
  try {
    for await (const chunk of bodyStream(request, response, { bytes: rules.fileBytes + AROUND_BYTES })) {
      const goesOn = parser.write(chunk);
      if (!goesOn) await Promise.race([once(parser, 'drain'), failed.promise]);
      abort.signal.throwIfAborted();
    }
    parser.end();
    await Promise.race([read, failed.promise]);
    return { fields, file: await taken };
  } catch (error) {
    fail(error);
    // What was taken is let go of before anybody is answered.
    await taken?.catch(() => undefined);
    throw error;
  }
}

/** The bytes of a file as they come; when there are more than it may have the form comes to nothing. */
async function* upTo(
  most: number,
  stream: BusboyFileStream,
  signal: AbortSignal,
  tooLarge: () => void,
): AsyncGenerator<Uint8Array> {
  const stop = () => void stream.destroy();
  signal.addEventListener('abort', stop, { once: true });
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > most) tooLarge();
    signal.throwIfAborted();
    yield chunk;
  }
  signal.throwIfAborted();
}
