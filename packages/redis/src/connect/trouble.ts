const REFUSES_WRITES = /^(OOM|MISCONF)\b/;

/**
 * It refuses before it begins, and not for ever: it loads its data, has lost its replicas or its disk, is a replica since a failover, or a slot is
 * on its way to another node.
 */
const REFUSES_FOR_NOW = /^(LOADING|READONLY|MASTERDOWN|NOREPLICAS|CLUSTERDOWN|MOVED|ASK|TRYAGAIN)\b/;

const refusedInside = (error: Error & { previousErrors?: readonly Error[] }, words: RegExp): boolean =>
  error.message.startsWith('EXECABORT') && (error.previousErrors?.some(({ message }) => words.test(message)) ?? false);

/** Whether nothing was done and the same may be taken soon. A full memory is no such thing: what is paid for is taken even then. */
export const isRefusedForNow = (error: unknown): boolean =>
  error instanceof Error && (REFUSES_FOR_NOW.test(error.message) || error.message.startsWith('MISCONF'));

/**
 * What an error of a Redis command means for who asked:
 * `away` nothing was sent · `lost` it may have run and its answer is lost · `full` Redis refuses writes · `null` no trouble of Redis.
 */
export function redisTrouble(error: unknown): 'away' | 'lost' | 'full' | null {
  if (!(error instanceof Error)) return null;
  // First, since these say in their messages what came after the command itself: its write has run.
  if (/^(NotLasting|PrimaryChanged)$/.test(error.name)) return 'lost';
  // Of a transaction Redis names the cause with the command that it refused.
  if (REFUSES_WRITES.test(error.message) || refusedInside(error, REFUSES_WRITES)) return 'full';
  if (REFUSES_FOR_NOW.test(error.message) || refusedInside(error, REFUSES_FOR_NOW)) return 'away';
  if (error.message.includes("Stream isn't writeable")) return 'away';
  if (
    error.name === 'MaxRetriesPerRequestError' ||
    /Connection is closed|Command timed out|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND/.test(error.message)
  )
    return 'lost';
  return null;
}
