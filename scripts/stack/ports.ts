import { createServer } from 'node:net';

/** Finds a port for a part of the stack: the preferred one when nobody listens there, else any. Nothing holds it: use it soon. */
export type FindPort = (part: string, preferred: number) => Promise<number>;

/** Tells of each port that was taken, since whoever answers there is not ours. */
export function portFinder(print: (line: string) => void): FindPort {
  return async (part, preferred) => {
    if (await isFree(preferred)) return preferred;
    const port = await anyPort();
    print(`Port ${preferred} is in use by another program: ${part} is at ${port} instead.`);
    return port;
  };
}

/** The port that `variable` configures. Throws when it is taken: whoever answers there is not ours. */
export async function configuredPort(variable: string, value: string): Promise<string> {
  const port = Number(value);
  if (port > 0 && port < 65_536 && !(await isFree(port)))
    throw new Error(`${variable}=${value} is in use by another program. End it, or set ${variable} to another port.`);
  return value;
}

// On some systems a listener on one address does not keep another from the wildcard, so both are tried.
const isFree = async (port: number): Promise<boolean> =>
  (await canListen(port, '0.0.0.0')) && (await canListen(port, '127.0.0.1'));

function canListen(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}

function anyPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no free port'))));
    });
  });
}
