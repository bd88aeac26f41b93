import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { buildConnector } from 'undici';
import type { AddressRules } from './address-rules.ts';
import { EgressError, type Phase, reasonOf } from './errors.ts';
import type { OwnServices } from './own-services.ts';
import type { Resolve } from './resolver.ts';
import { hostOf, literalAddresses, portOf } from './url-rules.ts';

/** What a guarded connection is made with. */
export interface ConnectorOptions {
  readonly forbidden: AddressRules;
  readonly own: Pick<OwnServices, 'at'>;
  readonly resolve: Resolve;
  /** Limit in ms for look-up, TCP and TLS together. */
  readonly connectMs: number;
  /** Certificate authorities (PEM) to trust in place of the system's. */
  readonly ca?: string | readonly string[];
}

interface Target {
  readonly hostname: string;
  readonly port: string;
  readonly protocol: string;
}

/** One attempt per address before the next is tried beside it; Node's 250 ms would give up on far receivers. */
const NEXT_ADDRESS_MS = 1_000;

/**
 * Makes undici's connections: looks the name up once, drops every address that is forbidden or where a service of this installation listens, and connects to one of
 * the others without another look-up, so that a name whose answer changes gains nothing. Fails with an {@link EgressError} that carries the phase.
 */
export function createGuardedConnector(options: ConnectorOptions): buildConnector.connector {
  return (target, callback) => {
    open(target, options).then(
      (socket) => callback(null, socket),
      (error: EgressError) => callback(error, null),
    );
  };
}

async function open(target: Target, options: ConnectorOptions): Promise<Socket> {
  const attempt = new Attempt(target, options);
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(attempt.timeout()), options.connectMs);
  try {
    return await Promise.race([attempt.run(), late.promise]);
  } catch (cause) {
    throw attempt.fail(cause);
  } finally {
    clearTimeout(timer);
  }
}

/** One connection in the making: knows its phase, and owns the socket until it is handed out. */
class Attempt {
  readonly #target: Target;
  readonly #options: ConnectorOptions;
  readonly #host: string;
  #phase: Phase = 'dns';
  #socket: Socket | undefined;
  #over = false;

  constructor(target: Target, options: ConnectorOptions) {
    this.#target = target;
    this.#options = options;
    this.#host = hostOf(target);
  }

  async run(): Promise<Socket> {
    const addresses = await this.#permittedAddresses();
    if (this.#over) throw this.timeout();
    this.#phase = 'connect';
    const tcp = await this.#opened(this.#dial(addresses), 'connect');
    if (this.#target.protocol !== 'https:') return tcp;
    this.#phase = 'tls';
    return this.#opened(this.#secure(tcp), 'secureConnect');
  }

  timeout(): EgressError {
    return new EgressError('timeout', `no connection within ${this.#options.connectMs} ms`, { phase: this.#phase });
  }

  /** Ends the attempt and gives the error a phase. A look-up still under way will find that it is over. */
  fail(cause: unknown): EgressError {
    this.#over = true;
    this.#socket?.destroy();
    if (cause instanceof EgressError) return cause;
    const words = {
      dns: 'the look-up of the host failed',
      connect: 'the connection failed',
      tls: 'the TLS handshake failed',
    } as const;
    const phase = this.#phase === 'dns' || this.#phase === 'tls' ? this.#phase : 'connect';
    return new EgressError(phase === 'dns' ? 'dns' : 'connect', `${words[phase]} (${reasonOf(cause)})`, { phase, cause });
  }

  async #permittedAddresses(): Promise<readonly string[]> {
    const literal = literalAddresses(this.#host);
    const addresses = literal.length > 0 ? literal : await this.#options.resolve(this.#host);
    const open = addresses.filter((address) => this.#options.forbidden(address) === undefined);
    if (open.length === 0)
      throw new EgressError('forbidden_address', 'the host has no address that may be called', { phase: 'dns' });
    const own = await this.#options.own.at(portOf(this.#target));
    const permitted = open.filter((address) => own(address) === undefined);
    if (permitted.length > 0) return permitted;
    throw new EgressError('forbidden_address', 'the address is one of this service itself', { phase: 'dns' });
  }

  #dial(addresses: readonly string[]): Socket {
    return connectTcp({
      host: this.#host,
      port: portOf(this.#target),
      lookup: pinned(addresses),
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_MS,
      noDelay: true,
      keepAlive: true,
    });
  }

  #secure(socket: Socket): Socket {
    return connectTls({
      socket,
      host: this.#host,
      servername: isIP(this.#host) === 0 ? this.#host : '',
      ALPNProtocols: ['http/1.1'],
      ...(this.#options.ca === undefined ? {} : { ca: [this.#options.ca].flat() }),
    });
  }

  /** The error listener stays: between here and undici's own, and after a timeout, nobody else listens. */
  #opened(socket: Socket, event: 'connect' | 'secureConnect'): Promise<Socket> {
    this.#socket = socket;
    return new Promise((resolve, reject) => {
      socket.once(event, () => resolve(socket));
      socket.on('error', reject);
      socket.once('close', () => reject(new Error('closed')));
    });
  }
}

/** Answers Node's look-up with what was checked. */
function pinned(addresses: readonly string[]): LookupFunction {
  const answers = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  return (_host, options, callback) => {
    const [first] = answers;
    if (options.all) callback(null, answers);
    else callback(null, first?.address ?? '', first?.family);
  };
}
