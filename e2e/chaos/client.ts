/** A client of one API, with a key. It throws when no answer comes within the limit. */
export interface Client {
  send(method: string, path: string, body?: object, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** @throws unless the answer is a 2xx. */
  json<T>(method: string, path: string, body?: object): Promise<T>;
}

const LIMIT_MS = 10_000;

export function createClient(url: string, key: string): Client {
  const send: Client['send'] = async (method, path, body, headers = {}) =>
    await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body ? { 'content-type': 'application/json' } : {}), ...headers },
      ...(body ? { body: JSON.stringify(body) } : {}),
      signal: AbortSignal.timeout(LIMIT_MS),
    });
  return {
    send,
    json: async <T>(method: string, path: string, body?: object) => {
      const response = await send(method, path, body);
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
      return (await response.json()) as T;
    },
  };
}
