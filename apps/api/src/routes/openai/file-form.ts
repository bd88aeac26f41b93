import { LIMITS } from '@grsai-jobs/jobs';
import { invalid } from '../../http/validate.ts';
import type { FieldError } from '../../validation/validate.ts';

/** What the form of a file may be. Sizes in bytes. */
export const FILE_FORM = { fields: 8, fieldBytes: 1024, fileBytes: LIMITS.batch.bytes, nameChars: 255 };

export const PURPOSE = 'batch';

const HOUR_S = 3600;
/** How long a file is kept, in seconds. */
export const EXPIRES_S = { min: HOUR_S, max: 30 * 24 * HOUR_S, default: 30 * 24 * HOUR_S };

const NOT_BATCH = 'must be "batch": files are for the lines of batches, and pictures are sent with their request';

/** What is wrong with the purpose, as soon as it is known. */
const purposeProblem = (purpose: string | undefined): FieldError[] => {
  if (purpose === PURPOSE) return [];
  return [{ pointer: '/purpose', message: purpose === undefined ? `is required and ${NOT_BATCH}` : NOT_BATCH }];
};

function secondsOf(text: string | undefined): number | FieldError {
  if (text === undefined) return EXPIRES_S.default;
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (seconds >= EXPIRES_S.min && seconds <= EXPIRES_S.max) return seconds;
  return { pointer: '/expires_after/seconds', message: `must be a whole number from ${EXPIRES_S.min} to ${EXPIRES_S.max}` };
}

type Fields = readonly (readonly [name: string, value: string])[];

/**
 * What is wrong before the file is read: with what came before it, and with its own field and name.
 * @throws Problem `invalid_request`
 */
export function checkBeforeFile(file: { field: string; name: string; before: Fields }): void {
  const purpose = file.before.find(([name]) => name === 'purpose')?.[1];
  const wrong: FieldError[] = [
    ...(file.field === 'file' ? [] : [{ pointer: `/${file.field}`, message: 'unknown file: it is sent as file' }]),
    ...(file.name.length > FILE_FORM.nameChars
      ? [{ pointer: '/file', message: `must have a name of at most ${FILE_FORM.nameChars} characters` }]
      : []),
    ...(purpose === undefined ? [] : purposeProblem(purpose)),
  ];
  if (wrong.length > 0) throw invalid(wrong);
}

const KNOWN = ['purpose', 'expires_after[anchor]', 'expires_after[seconds]'];

/**
 * The fields of the form.
 * @param bytes of the file; undefined: there is none
 * @throws Problem `invalid_request`
 */
export function readFileFields(fields: Fields, bytes: number | undefined): { expiresInS: number } {
  const wrong: FieldError[] = [];
  const values = new Map<string, string>();
  for (const [name, value] of fields) {
    if (name === 'file') wrong.push({ pointer: '/file', message: 'must be a file' });
    else if (!KNOWN.includes(name)) wrong.push({ pointer: `/${name.slice(0, 64)}`, message: 'unknown field' });
    else if (values.has(name)) wrong.push({ pointer: `/${name}`, message: 'stands twice in the form' });
    values.set(name, value);
  }
  if (bytes === undefined && !values.has('file')) wrong.push({ pointer: '/file', message: 'is required and must be a file' });
  if (bytes === 0) wrong.push({ pointer: '/file', message: 'is an empty file' });
  wrong.push(...purposeProblem(values.get('purpose')));
  const anchor = values.get('expires_after[anchor]');
  if (values.has('expires_after[seconds]') ? anchor !== 'created_at' : anchor !== undefined && anchor !== 'created_at')
    wrong.push({ pointer: '/expires_after/anchor', message: 'must be created_at' });
  const expiresInS = secondsOf(values.get('expires_after[seconds]'));
  if (typeof expiresInS !== 'number') wrong.push(expiresInS);
  if (typeof expiresInS !== 'number' || wrong.length > 0) throw invalid(wrong);
  return { expiresInS };
}
