import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { waitFor } from '@grsai-jobs/testkit';
import { onTestFinished } from 'vitest';

/** What a worker asks when it starts, to see whether its key is taken: no job has a part in it. */
const isCheck = (path: string, body: string): boolean =>
  path === '/client/openapi/getAPIKeyCredits' || body.includes('"no-such-model-key-probe"');

/** Stands before the upstream, keeps the whole body of each POST of a job (the emulator keeps 2 KiB) and passes everything on. */
export async function startCapture() {
  let upstream = '';
  const bodies: { path: string; length: string | undefined; text: string }[] = [];
  const pass = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const path = request.url ?? '';
    const post = request.method === 'POST';
    const text = body.toString();
    if (post && !isCheck(path, text)) bodies.push({ path, length: request.headers['content-length'], text });
    const headers = { authorization: request.headers.authorization ?? '', 'content-type': 'application/json' };
    const answer = await fetch(upstream + path, post ? { method: 'POST', headers, body } : { headers });
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
    response.end(Buffer.from(await answer.arrayBuffer()));
  };
  // A caller that breaks off leaves nothing to pass on.
  const server = createServer((request, response) => void pass(request, response).catch(() => response.destroy()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    passTo: (url: string) => {
      upstream = url;
    },
    bodies,
    /** The first POST to this path, as JSON. */
    post: async (path: string): Promise<Record<string, unknown>> =>
      await waitFor(
        () => {
          const found = bodies.find((each) => each.path === path);
          return found && (JSON.parse(found.text) as Record<string, unknown>);
        },
        { timeoutMs: 20_000, what: `a POST to ${path}` },
      ),
  };
}
