/** One request that has to be refused. */
export interface Row {
  what: string;
  status: number;
  code: string;
  /** A JSON pointer that `errors` has to name. */
  pointer?: string;
  method?: string;
  path?: string;
  body?: string | object;
  headers?: Record<string, string>;
}

const URL_OF_CALLER = { url: 'https://caller.example/hooks' };

/** Requests that would be accepted; each row breaks one thing in them. */
export const goodImage = (input: object = {}, more: object = {}) => ({
  type: 'image',
  input: { model: 'nano-banana-2', prompt: 'a paper lighthouse', aspect_ratio: '4:3', ...input },
  webhook: URL_OF_CALLER,
  ...more,
});
export const goodChat = (input: object = {}, more: object = {}) => ({
  type: 'chat',
  input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'hi' }], ...input },
  webhook: URL_OF_CALLER,
  ...more,
});

/** A job that never was. */
export const NO_JOB = '/v1/jobs/job_01ARZ3NDEKTSV4RRFFQ69G5FAV';

/** Wrong fields of a job: what, pointer, body. */
export const invalidJob = (what: string, pointer: string, body: string | object): Row => ({
  what,
  status: 422,
  code: 'invalid_request',
  pointer,
  body,
});

/** A body that is no strict JSON. */
export const malformed = (what: string, body: string | object, headers?: Record<string, string>): Row => ({
  what,
  status: 400,
  code: 'malformed_json',
  body,
  ...(headers ? { headers } : {}),
});

/** A good job in a request that is wrong itself. */
export const refused = (status: number, code: string, what: string, headers: Record<string, string>): Row => ({
  what,
  status,
  code,
  body: goodImage(),
  headers,
});
