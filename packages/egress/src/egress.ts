import type { WireLimits } from '@grsai-jobs/grsai/wire-guard';
import { Agent, type Dispatcher } from 'undici';
import { createAddressRules } from './address-rules.ts';
import { createGuardedConnector } from './connector.ts';
import { type Download, type DownloadOptions, download } from './download.ts';
import { EgressError } from './errors.ts';
import { createOwnServices, type OwnService } from './own-services.ts';
import { poolsWithin } from './pools.ts';
import { type PostRequest, type PostResult, postOnce } from './post.ts';
import { createResolver, type Resolve } from './resolver.ts';
import { hostOf, type InspectedUrl, inspectLink, inspectUrl, MAX_LINK_LENGTH, portOf, type UrlProblem } from './url-rules.ts';
import { RECEIVER } from './wire-limits.ts';

/** The egress guard: every request to an address that a caller or upstream gives goes through it, webhooks and downloads alike. */
export interface Egress extends Guard {
  /** POSTs once, as `postOnce` says. */
  post(request: PostRequest): Promise<PostResult>;
  /** GETs a link as a stream, as `download` says. */
  download(url: string, options?: DownloadOptions): Promise<Download>;
  /** Cuts open requests and closes every connection. */
  close(): Promise<void>;
}

/** What every request of the egress guard passes. */
export interface Guard {
  /** Sends only where the rules permit; knows no proxy, whatever the environment says. */
  readonly dispatcher: Dispatcher;
  /** What is wrong with a URL as it stands, for a 422 at intake; no look-up is made. */
  checkUrl(url: string): UrlProblem | undefined;
  /**
   * The URL, parsed. Throws {@link EgressError} `forbidden_address` where {@link Egress.checkUrl} finds a problem; only that it takes
   * up to 16 384 characters.
   */
  admit(url: string): URL;
  /** The same for a link of upstream or a redirect, read as browsers read one: spaces, line breaks and letters in it are escaped. */
  admitLink(link: string): URL;
}

export interface EgressOptions {
  /** `EGRESS_ALLOW`: CIDRs or addresses that are open although they are not public. */
  readonly allow?: readonly string[];
  /** Services of this installation: never called, whatever `allow` opens. */
  readonly own?: readonly OwnService[];
  /** Looks up a name; by default DNS as the system is set up. */
  readonly resolve?: Resolve;
  /** Limit for look-up, TCP and TLS together; 5 s by default. */
  readonly connectMs?: number;
  /** What a receiver may send, and how slowly, in place of `RECEIVER`. */
  readonly receiver?: WireLimits;
  /** How long a connection is kept for the next request; 2 s by default, whatever the receiver says. */
  readonly keepAliveMs?: number;
  /** Certificate authorities (PEM) to trust in place of the system's. */
  readonly ca?: string | readonly string[];
}

/** Shorter than the keep-alive of common servers (5 s in Node): a kept connection that they close as a POST goes out costs an attempt. */
const KEEP_ALIVE_MS = 2_000;

/** Throws a TypeError when an entry of `allow` is no range of addresses. */
export function createEgress({
  allow = [],
  own: services = [],
  resolve = createResolver(),
  connectMs = 5_000,
  receiver = RECEIVER,
  keepAliveMs = KEEP_ALIVE_MS,
  ca,
}: EgressOptions = {}): Egress {
  const forbidden = createAddressRules(allow);
  const own = createOwnServices({ services });
  /** Also refuses URLs that name a service of this installation. */
  const notOurs = (inspected: InspectedUrl): InspectedUrl => {
    if (inspected.url === undefined) return inspected;
    const name = own.named(hostOf(inspected.url), portOf(inspected.url));
    if (name === undefined) return inspected;
    const message = `the URL points at this service itself (${name}), which is never called: give the address of a receiver`;
    return { problem: { code: 'forbidden_address', message } };
  };
  const dispatcher = new Agent({
    connect: createGuardedConnector({ forbidden, own, resolve, connectMs, ...(ca === undefined ? {} : { ca }) }),
    factory: poolsWithin(receiver),
    allowH2: false,
    pipelining: 1,
    keepAliveTimeout: keepAliveMs,
    // A receiver's own keep-alive may only shorten this one; otherwise many receivers could hold all sockets.
    keepAliveMaxTimeout: keepAliveMs,
    // Every request has its own time limits.
    headersTimeout: 0,
    bodyTimeout: 0,
  });

  const inspect = rememberGood((url) => inspectUrl(url, forbidden));
  const guard: Guard = {
    dispatcher,
    checkUrl: (url) => notOurs(inspect(url)).problem,
    admit: (url) => admitted(notOurs(inspectUrl(url, forbidden, MAX_LINK_LENGTH))),
    admitLink: (link) => admitted(notOurs(inspectLink(link, forbidden))),
  };
  return {
    ...guard,
    post: (request) => postOnce(guard, request),
    download: (url, options) => download(guard, url, options),
    close: () => dispatcher.destroy(),
  };
}

/** So many addresses are remembered, each of at most 2 KiB. */
const MOST_KNOWN = 1000;

/** Callers name the same few receivers with each job: what the text of an address says is looked at once. */
function rememberGood(inspect: (url: string) => InspectedUrl): (url: string) => InspectedUrl {
  const good = new Map<string, InspectedUrl>();
  return (url) => {
    const known = good.get(url);
    if (known !== undefined) return known;
    const inspected = inspect(url);
    if (inspected.problem !== undefined) return inspected;
    if (good.size === MOST_KNOWN) good.clear();
    good.set(url, inspected);
    return inspected;
  };
}

function admitted({ url, problem }: InspectedUrl): URL {
  if (problem === undefined) return url;
  throw new EgressError('forbidden_address', problem.message, { phase: 'dns' });
}
