import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';

/** A batch as the API answers it; tests look only at what they name. */
export interface Batch {
  id: string;
  status: string;
  counts: Record<'total' | 'queued' | 'running' | 'succeeded' | 'failed' | 'canceled' | 'expired', number>;
  round: number;
  invalid_count: number;
  metadata: Record<string, string>;
  webhook: { url: string | null; events: string[] };
  expires_at: string;
  invalid?: {
    count: number;
    errors: { line: number; custom_id: string | null; errors: { pointer: string; message: string }[] }[];
  };
}

export interface Refusal {
  code: string;
  detail: string;
  invalid_count?: number;
  errors?: { line?: number; custom_id?: string | null; pointer: string; message: string }[];
}

/** One line of a batch: a chat that the emulator answers at once. */
export const line = (id: string | number, more: object = {}): string =>
  JSON.stringify({
    custom_id: String(id),
    type: 'chat',
    input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: `Say ${id}` }] },
    ...more,
  });

export const ndjson = (...lines: string[]): string => lines.map((each) => `${each}\n`).join('');

export const lines = (count: number, from = 0): string => ndjson(...Array.from({ length: count }, (_, i) => line(from + i)));

/** An upload whose body is sent by hand. */
export function upload(
  { url, tenant }: { url: string; tenant: { key: string } },
  headers: Record<string, string | number> = {},
): ClientRequest {
  const sent = request(`${url}/v1/batches`, {
    method: 'POST',
    headers: { authorization: `Bearer ${tenant.key}`, 'content-type': 'application/x-ndjson', ...headers },
  });
  sent.on('error', () => undefined);
  return sent;
}

export const answerTo = async (
  sent: ClientRequest,
): Promise<{ status: number; headers: IncomingMessage['headers']; body: unknown }> => {
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const text = Buffer.concat(await response.toArray()).toString();
  return { status: response.statusCode ?? 0, headers: response.headers, body: JSON.parse(text) };
};

/** Sends a body of lines. */
export async function sendLines(
  { url, tenant }: { url: string; tenant: { key: string } },
  body: string | Uint8Array,
  o: { query?: string; headers?: Record<string, string> } = {},
): Promise<Response> {
  return await fetch(`${url}/v1/batches${o.query ?? ''}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${tenant.key}`, 'content-type': 'application/x-ndjson', ...o.headers },
    body: typeof body === 'string' ? body : Uint8Array.from(body),
  });
}

/** The rows of an NDJSON answer. */
export const rowsOf = async <T>(response: Response): Promise<T[]> =>
  (await response.text())
    .split('\n')
    .filter((text) => text !== '')
    .map((text) => JSON.parse(text) as T);
