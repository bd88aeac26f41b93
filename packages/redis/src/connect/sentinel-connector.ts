import { type SentinelConnectionOptions, SentinelConnector } from 'ioredis';

/** What ioredis keeps of the Sentinels that it listens to for a connection. */
interface Listening {
  failoverDetector: { cleanup(): void } | null;
}

/**
 * Asks Sentinels for the primary, and leaves it when they name another. ioredis goes on listening for a connection that is lost already: what
 * it hears while the next one is being made has it give up for good (*read in its source*, ioredis 6.0). So what belongs to the connection before
 * is let go first; the next one is made to whoever the Sentinels name by then, and listens anew.
 */
export class LastingSentinelConnector extends SentinelConnector {
  constructor(options: unknown) {
    super(options as SentinelConnectionOptions);
  }

  override connect(...args: Parameters<SentinelConnector['connect']>): ReturnType<SentinelConnector['connect']> {
    (this as unknown as Listening).failoverDetector?.cleanup();
    return super.connect(...args);
  }
}
