import { once } from 'node:events';
import { type Agent, type IncomingMessage, request } from 'node:http';
import type { Sent } from './requests.ts';

/** What came back. */
export interface Answered {
  status: number;
  type: string;
  requestId: string | undefined;
  text: string;
  ms: number;
}

/** Sends a request over a connection of the agent and reads its answer; of an event stream only the head. */
export async function send(o: {
  agent: Agent;
  url: string;
  path: string;
  sent: Sent;
  headers: Record<string, string>;
}): Promise<Answered> {
  const started = performance.now();
  const search = new URLSearchParams(o.sent.query.map(([name, value]): [string, string] => [name, value])).toString();
  const { hostname, port } = new URL(o.url);
  // Said for every method: what Node sends with a GET has no end otherwise.
  const length = o.sent.text === undefined ? {} : { 'content-length': Buffer.byteLength(o.sent.text) };
  const sending = request({
    hostname,
    port,
    path: `${encodeOdd(o.path)}${search === '' ? '' : `?${search}`}`,
    agent: o.agent,
    method: o.sent.method,
    headers: { ...o.headers, ...length, ...o.sent.headers },
  });
  sending.end(o.sent.text);
  const [response] = (await once(sending, 'response')) as [IncomingMessage];
  const type = response.headers['content-type']?.split(';')[0] ?? '';
  const requestId = response.headers['x-request-id'];
  const seen = { status: response.statusCode ?? 0, type, requestId: Array.isArray(requestId) ? requestId[0] : requestId };
  if (type === 'text/event-stream') {
    sending.destroy();
    return { ...seen, text: '', ms: performance.now() - started };
  }
  const text = Buffer.concat(await response.toArray()).toString();
  return { ...seen, text, ms: performance.now() - started };
}

/** Node's client refuses to send what a path cannot hold. */
const encodeOdd = (path: string): string => path.replaceAll(/[^\x21-\x7e]/g, (each) => encodeURIComponent(each));
