/** Where a request wants to go. */
export interface Target {
  readonly pathname: string;
  readonly query: URLSearchParams;
}

/** A target of more characters names nothing that a small server has. */
const LONGEST = 2048;

/**
 * Reads the target of a request line, in the forms of RFC 9112 §3.2 that name a path; `null` for everything else. It never throws: what stands
 * there was written by anyone. `//host/path` is a path here and no address of another host, as it is for HTTP.
 */
export function readTarget(target: string | undefined): Target | null {
  if (target === undefined || target.length > LONGEST) return null;
  const url = target.startsWith('/') ? URL.parse(`http://localhost${target}`) : URL.parse(target);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return null;
  return { pathname: url.pathname, query: url.searchParams };
}
