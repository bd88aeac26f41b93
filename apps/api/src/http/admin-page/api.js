const KEY = 'grsai-jobs.admin-key';

/** A refusal of the API, or none where there was no answer at all: then `status` is 0. */
export class ApiError extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/**
 * The admin key of this tab. `sessionStorage` dies with the tab and is sent nowhere by itself, so no other page can use it.
 */
export const key = {
  get: () => sessionStorage.getItem(KEY),
  /** @param {string} value */
  set: (value) => sessionStorage.setItem(KEY, value),
  forget: () => sessionStorage.removeItem(KEY),
};

/** An answer that takes longer counts as none. */
const LIMIT_MS = 8_000;

/**
 * Asks the admin API.
 * @param {string} path below `/admin/v1`
 * @param {{ method?: string, body?: unknown, key?: string | null, signal?: AbortSignal, limitMs?: number, headers?: Record<string, string> }} [o]
 * @returns {Promise<any>}
 * @throws {ApiError}
 */
export async function ask(path, o = {}) {
  const limit = AbortSignal.timeout(o.limitMs ?? LIMIT_MS);
  const answer = await fetch(`/admin/v1${path}`, {
    method: o.method ?? 'GET',
    headers: {
      authorization: `Bearer ${o.key ?? key.get() ?? ''}`,
      accept: 'application/json',
      ...(o.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...o.headers,
    },
    ...(o.body === undefined ? {} : { body: JSON.stringify(o.body) }),
    signal: o.signal === undefined ? limit : AbortSignal.any([o.signal, limit]),
    cache: 'no-store',
    credentials: 'omit',
    redirect: 'error',
  }).catch((/** @type {unknown} */ cause) => {
    if (o.signal?.aborted) throw cause;
    throw new ApiError(0, 'The API does not answer.');
  });
  const json = await answer.json().catch(() => null);
  if (answer.ok && json === null) throw new ApiError(0, 'The answer of the API broke off.');
  if (answer.ok) return json;
  throw new ApiError(answer.status, problemText(answer.status, json));
}

/** @param {number} status @param {any} problem */
function problemText(status, problem) {
  if (typeof problem?.detail !== 'string') return `The API answered ${status}.`;
  const fields = Array.isArray(problem.errors)
    ? problem.errors.map((/** @type {any} */ each) => `${String(each.pointer).slice(1)} ${each.message}`)
    : [];
  return fields.length > 0 ? fields.join('; ') : problem.detail;
}

/** A query without what is empty. @param {Record<string, string | null | undefined>} values */
export function query(values) {
  const given = Object.entries(values).filter(([, value]) => value !== null && value !== undefined && value !== '');
  const text = new URLSearchParams(/** @type {[string, string][]} */ (given)).toString();
  return text === '' ? '' : `?${text}`;
}
