/** A caller's picture that stands in the object store and not in the record. No schema of ours takes an object in its place. */
export interface InputObject {
  /** Its key. */
  readonly $object: string;
  readonly content_type: string;
  readonly bytes: number;
}

/** An input that stands in the object store as one JSON text, too large for a record. */
export interface StoredInput {
  /** Its key. */
  readonly $object: string;
  readonly bytes: number;
  /** Its pictures that stand there too, in their order. The text has of them what callers see. */
  readonly pictures: readonly InputObject[];
}

/** A picture in a record: as the caller sent it, or where it stands. */
export type Picture = string | InputObject;

/** True for a data URL or bare base64 (upstream.md §9.4). */
export const isInline = (picture: string): boolean => !/^https?:\/\//i.test(picture);

/** The base64 text of an inline picture. */
export const base64Of = (inline: string): string => inline.slice(inline.indexOf(',') + 1);

/** Bytes that an inline picture stands for, without decoding it. */
export function inlineBytes(inline: string): number {
  const padding = inline.endsWith('==') ? 2 : inline.endsWith('=') ? 1 : 0;
  return Math.floor(((inline.length - inline.indexOf(',') - 1 - padding) * 3) / 4);
}

export const isInputObject = (value: unknown): value is InputObject =>
  typeof value === 'object' && value !== null && '$object' in value;
