/** A field of a request, and what is wrong with it. */
export interface Problem {
  /** Name in upstream's camelCase, with an index for a list: `images[2]`. */
  readonly field: string;
  readonly message: string;
}
