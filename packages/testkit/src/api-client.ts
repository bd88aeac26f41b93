import { waitFor } from './wait-for.ts';

/** A job as the API answers it; tests look only at what they name. */
export interface Job {
  id: string;
  status: string;
  stage: string | null;
  run: number;
  progress: number;
  result: {
    images?: { url: string; sha256: string; bytes: number; content_type: string; width: number; key: string }[];
  } & Record<string, unknown>;
  error: { code: string; message: string; retryable: boolean } | null;
  attempts: { stage: string; outcome: string; error_code?: string }[];
  upstream: { task_id: string; polls: number } | null;
  webhook: { state: string };
}

const TERMINAL = new Set(['succeeded', 'failed', 'canceled', 'expired']);

/** Talks to an API as a caller with this key does. */
export function createClient(url: string, key: string) {
  const send = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body) }),
    });
  const read = async <T>(response: Response): Promise<T> => {
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  };
  return {
    key,
    send,
    post: async <T>(path: string, body?: unknown) => await read<T>(await send('POST', path, body)),
    get: async <T>(path: string) => await read<T>(await send('GET', path)),
    job: async (id: string) => await read<Job>(await send('GET', `/v1/jobs/${id}`)),
    /** Waits until the job is terminal. */
    finished: async (id: string, timeoutMs = 60_000): Promise<Job> =>
      await waitFor(
        async () => {
          const job = await read<Job>(await send('GET', `/v1/jobs/${id}`));
          return TERMINAL.has(job.status) ? job : undefined;
        },
        { timeoutMs, everyMs: 50, what: `job ${id} to end` },
      ),
  };
}

/** The body of a chat job whose webhook goes to this receiver. */
export const chat = (receiver: { url: string }, text = 'Say hello', more: object = {}) => ({
  type: 'chat',
  input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: text }] },
  webhook: { url: receiver.url },
  ...more,
});

/** The same of an image job. */
export const image = (receiver: { url: string }, prompt = 'a paper lighthouse', more: object = {}) => ({
  type: 'image',
  input: { model: 'nano-banana-2', prompt, aspect_ratio: '4:3' },
  webhook: { url: receiver.url },
  ...more,
});
