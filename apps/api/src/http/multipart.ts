import { createHash } from 'node:crypto';
import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy';
import type { Request, Response } from 'express';
import { principalOf } from './auth.ts';
import type { BodyBudget } from './body-budget.ts';
import { bodyStream } from './body-stream.ts';
import { gatherBytes } from './gather-bytes.ts';
import { Problem } from './problem.ts';

/** A file of a form. */
export interface FormFile {
  name: string;
  bytes: Buffer;
  /** Lower-case hex. */
  sha256: string;
}

export interface Form {
  fields: [name: string, value: string][];
  files: FormFile[];
}

/** What a form may be. Sizes in bytes. */
export interface FormRules {
  bytes: number;
  fields: number;
  fieldBytes: number;
  files: number;
  fileBytes: number;
  budget: BodyBudget;
}

const MULTIPART = /^multipart\/form-data\s*(?:;|$)/i;

export const tooMuch = (what: string): Problem => new Problem('body_too_large', `${what}. Nothing was accepted.`);
export const unreadable = (why: string): Problem =>
  new Problem('bad_request', `The form cannot be read: ${why}. Nothing was accepted; send it as multipart/form-data.`);

export const isMultipart = (header: string | undefined): boolean => MULTIPART.test(header ?? '');

/** Puts a file together as its bytes come. */
function gather(name: string, stream: BusboyFileStream, rules: FormRules, fail: (problem: Problem) => void): () => FormFile {
  const hash = createHash('sha256');
  const bytes = gatherBytes(rules.fileBytes);
  stream.on('limit', () => fail(tooMuch(`The file of ${JSON.stringify(name)} is limited to ${rules.fileBytes} bytes`)));
  stream.on('error', (error: Error) => fail(unreadable(error.message)));
  stream.on('data', (chunk: Buffer) => {
    hash.update(chunk);
    bytes.add(chunk);
  });
  return () => ({ name, bytes: bytes.bytes(), sha256: hash.digest('hex') });
}

/** @throws Problem 400 for a head that says no form */
export const formParser = (
  request: Request,
  rules: Pick<FormRules, 'fields' | 'fieldBytes' | 'files' | 'fileBytes'>,
): BusboyInstance => {
  try {
    return new Busboy({
      headers: { ...request.headers, 'content-type': request.headers['content-type'] ?? '' },
      limits: {
        fieldNameSize: 128,
        fieldSize: rules.fieldBytes,
        fields: rules.fields,
        files: rules.files,
        // One that is as large as it may be is not cut.
        fileSize: rules.fileBytes + 1,
        headerPairs: 32,
      },
    });
  } catch (error) {
    throw unreadable((error as Error).message);
  }
};

/**
 * Reads a form part by part as it comes: each part, and all together, within its limits.
 * @throws Problem 415 for another type, 413 beyond the limits, 400 for a form that is broken or has no end
 */
export async function readForm(request: Request, response: Response, rules: FormRules): Promise<Form> {
  const type = request.headers['content-type'];
  if (!isMultipart(type)) throw new Problem('unsupported_media_type', 'Send the body as multipart/form-data.');
  const lease = rules.budget.lease(principalOf(response).tenant, response);
  const fields: Form['fields'] = [];
  const files: (() => FormFile)[] = [];
  const parser = formParser(request, rules);
  const { promise: read, resolve, reject } = Promise.withResolvers<void>();
  // What fails while the next chunk is awaited is thrown when it has come.
  read.catch(() => undefined);
  let failed: Problem | undefined;
  const fail = (problem: Problem) => {
    failed ??= problem;
    reject(problem);
  };
  parser.on('field', (name, value, nameCut, valueCut) => {
    if (nameCut || valueCut) fail(tooMuch(`The field ${JSON.stringify(name)} is limited to ${rules.fieldBytes} bytes`));
    else fields.push([name, value]);
  });
  parser.on('file', (name, stream) => void files.push(gather(name, stream, rules, fail)));
  parser.on('filesLimit', () => fail(tooMuch(`A form is limited to ${rules.files} files`)));
  parser.on('fieldsLimit', () => fail(tooMuch(`A form is limited to ${rules.fields} fields`)));
  parser.on('error', (error) => fail(unreadable(error instanceof Error ? error.message : 'it is broken')));
  parser.on('finish', resolve);
  let size = 0;
  for await (const chunk of bodyStream(request, response, { bytes: rules.bytes })) {
    size += chunk.length;
    lease.hold(size);
    parser.write(chunk);
    if (failed !== undefined) throw failed;
  }
  parser.end();
  await read;
  return { fields, files: files.map((file) => file()) };
}
