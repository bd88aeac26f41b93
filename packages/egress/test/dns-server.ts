import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { onTestFinished } from 'vitest';

const TYPES = { A: 1, AAAA: 28 } as const;
const NXDOMAIN = 3;

/** Says what is answered to a question: addresses, that there is no such name, or nothing at all. */
export type Answer = (name: string, type: 'A' | 'AAAA') => readonly string[] | 'no such name' | 'silence';

/** A name server on UDP that answers what the test says, with a TTL of 0. Goes away with its test. */
export async function startDns(answer: Answer): Promise<{ server: string; asked: string[] }> {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  socket.on('message', (query, from) => {
    const { name, end } = readName(query);
    const type = query.readUInt16BE(end) === TYPES.AAAA ? 'AAAA' : 'A';
    asked.push(`${type} ${name}`);
    const said = answer(name, type);
    if (said === 'silence') return;
    const records = said === 'no such name' ? [] : said.map(record);
    const head = Buffer.from(query.subarray(0, 12));
    head.writeUInt16BE(0x8180 | (said === 'no such name' ? NXDOMAIN : 0), 2);
    head.writeUInt16BE(records.length, 6);
    head.writeUInt32BE(0, 8);
    socket.send(Buffer.concat([head, query.subarray(12, end + 4), ...records]), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  return { server: `127.0.0.1:${socket.address().port}`, asked };
}

function readName(query: Buffer): { name: string; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 };
}

function record(address: string): Buffer {
  const bytes = Buffer.from(ipaddr.parse(address).toByteArray());
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0); // the name stands at byte 12, in the question
  head.writeUInt16BE(isIPv6(address) ? TYPES.AAAA : TYPES.A, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(bytes.length, 10);
  return Buffer.concat([head, bytes]);
}
