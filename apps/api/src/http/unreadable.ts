import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from '@grsai-jobs/runtime';
import { PROBLEMS, Problem, type ProblemCode, problemBody } from './problem.ts';

/** What Node's HTTP parser says when it gives up (`code` of the error), as a refusal. */
const REFUSALS: Readonly<Record<string, [ProblemCode, string]>> = {
  HPE_HEADER_OVERFLOW: ['headers_too_large', 'The headers are limited to 16 KiB together.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', 'The request did not arrive in time; send it again.'],
};
const UNREADABLE: [ProblemCode, string] = ['bad_request', 'This is no HTTP request that can be read.'];

/** Answers what is not even HTTP as everything else is answered: one problem with a request id. Node would send a bare status line. */
export function answerUnreadable(server: Server, log: Logger): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex & { bytesWritten?: number }) => {
    // After a first byte of an answer nothing can be said that would be read as one.
    if (!socket.writable || error.code === 'ECONNRESET' || socket.bytesWritten !== 0) {
      socket.destroy();
      return;
    }
    const [code, detail] = REFUSALS[error.code ?? ''] ?? UNREADABLE;
    const requestId = `req_${randomUUID()}`;
    const body = JSON.stringify(problemBody(new Problem(code, detail), { instance: '', requestId }));
    const { status } = PROBLEMS[code];
    log.info({ event: 'http.unreadable', request_id: requestId, status, reason: error.code }, 'a request could not be read');
    socket.end(
      [
        `HTTP/1.1 ${status} ${PROBLEMS[code].title}`,
        'Content-Type: application/problem+json; charset=utf-8',
        `Content-Length: ${Buffer.byteLength(body)}`,
        `X-Request-Id: ${requestId}`,
        'X-Content-Type-Options: nosniff',
        'Connection: close',
        '',
        body,
      ].join('\r\n'),
    );
  });
}
