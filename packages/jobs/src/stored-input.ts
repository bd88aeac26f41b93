import type { JobDoc } from './doc.ts';
import { mapPictures, shown, storedPictures } from './inputs.ts';
import { isLonger, jsonPieces } from './json-pieces.ts';
import { LIMITS } from './limits.ts';

/**
 * The text of an input in pieces, as it stands in the object store. It has no keys of the object store, so that callers can be given it
 * as it is.
 */
export const inputPieces = (doc: JobDoc): Generator<string, void> => jsonPieces(doc.input, { replace: shown });

/** Whether the text of an input is too large for a record. */
export const isLargeInput = (doc: JobDoc): boolean => isLonger(doc.input, LIMITS.recordInputBytes, { replace: shown });

/** The request as its record holds it when its input stands in the object store. */
export function withStoredInput(doc: JobDoc, at: { key: string; bytes: number }): JobDoc {
  const stored_input = { $object: at.key, bytes: at.bytes, pictures: storedPictures(doc) };
  if (doc.type === 'chat') {
    const { model, stream } = doc.input;
    return { ...doc, stored_input, input: { model, messages: [], ...(stream === undefined ? {} : { stream }) } };
  }
  const { model, aspect_ratio, image_size } = doc.input;
  const sizes = { ...(aspect_ratio === undefined ? {} : { aspect_ratio }), ...(image_size === undefined ? {} : { image_size }) };
  return { ...doc, stored_input, input: { model, prompt: '', ...sizes } };
}

/** The request as it was accepted, from its record and the text that was stored of it. */
export function restoreInput(doc: JobDoc, text: string): JobDoc {
  const { stored_input: stored, ...rest } = doc;
  const pictures = stored?.pictures.values();
  const input = JSON.parse(text) as JobDoc['input'];
  const whole = { ...rest, input: { ...input, model: doc.input.model } } as JobDoc;
  return mapPictures(whole, (picture) => (typeof picture === 'string' ? picture : (pictures?.next().value ?? picture)));
}
