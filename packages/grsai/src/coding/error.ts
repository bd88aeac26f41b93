/**
 * Why a body cannot be had without its coding.
 * `unknown`: coded in a way that is not read here, or too many times over. `corrupt`: the bytes are not what the coding says.
 * `truncated`: they end before their format does. `too_large`: there is more in them than the limits allow.
 */
export type ContentCodingProblem = 'unknown' | 'corrupt' | 'truncated' | 'too_large';

/** A body that cannot be decoded; the message names the coding. */
export class ContentCodingError extends Error {
  override readonly name = 'ContentCodingError';
  readonly problem: ContentCodingProblem;

  constructor(problem: ContentCodingProblem, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.problem = problem;
  }
}
