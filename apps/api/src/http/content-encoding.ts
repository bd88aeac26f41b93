import { Problem } from './problem.ts';

/** For an encoding of a body that is not read. */
export const unknownEncoding = (): Problem =>
  new Problem('unsupported_media_type', 'The content encoding is not supported; use gzip, deflate, br, zstd or none.');

/** For bytes that a decoder of zlib cannot read, by the code of its error; `null` for any other error. */
export const undecodable = (code: unknown): Problem | null =>
  typeof code === 'string' && /^(Z_|ZSTD_|ERR_BROTLI|ERR__ERROR)/.test(code)
    ? new Problem('bad_request', `The body is cut short, or is not what its Content-Encoding says (${code}).`)
    : null;
