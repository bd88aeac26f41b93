import type { Dispatcher } from 'undici';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { GuardedExchange } from './exchange.ts';
import { WireLimitError, type WireLimits } from './limits.ts';

const LIMITS: WireLimits = {
  bytes: 1_000_000,
  framing: { bytes: 1_000, perBodyByte: 0 },
  rate: { bytesPerSecond: 100, afterMs: 5_000 },
};

/** An exchange whose answer has begun, on a socket that has carried others before. */
function begun(limits: WireLimits = LIMITS) {
  const socket = { bytesRead: 5_000_000, readableLength: 0 };
  const controller = {
    aborted: false,
    paused: false,
    reason: null as Error | null,
    abort(reason: Error) {
      this.aborted = true;
      this.reason = reason;
    },
    pause() {
      this.paused = true;
    },
    resume() {
      this.paused = false;
    },
  };
  const seen: string[] = [];
  const handler: Dispatcher.DispatchHandler = {
    onResponseStart: (_, status) => void seen.push(`${status}`),
    onResponseError: (_, error) => void seen.push(error.message),
  };
  const exchange = new GuardedExchange(handler, { begin: () => socket, end: () => void seen.push('end') }, limits);
  exchange.onRequestStart(controller, undefined);
  const limit = () => (controller.reason instanceof WireLimitError ? controller.reason.limit : controller.reason);
  return { exchange, controller, socket, seen, limit };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('the pace of a body', () => {
  test('when nothing comes after the head, then it is too slow after the time allowed, not before', () => {
    const { exchange, controller, limit } = begun();
    vi.advanceTimersByTime(60_000);
    exchange.onResponseStart(controller, 200, {});
    vi.advanceTimersByTime(4_999);
    expect(limit()).toBeNull();
    vi.advanceTimersByTime(1);
    expect(limit()).toBe('rate');
  });

  test('when its reader holds it up, then that time does not count', () => {
    const { exchange, controller, limit } = begun();
    exchange.onResponseStart(controller, 200, {});
    controller.pause();
    vi.advanceTimersByTime(600_000);
    expect(limit()).toBeNull();
    controller.resume();
    vi.advanceTimersByTime(5_000);
    expect(limit()).toBe('rate');
  });

  test('when it comes fast enough, then it may take its time', () => {
    const { exchange, controller, limit } = begun();
    exchange.onResponseStart(controller, 200, {});
    for (let second = 0; second < 60; second += 1) {
      exchange.onResponseData(controller, Buffer.alloc(101));
      vi.advanceTimersByTime(1_000);
    }
    expect(limit()).toBeNull();
  });

  test.each(['end', 'error'] as const)('when the exchange is over by its %s, then no timer is left', (how) => {
    const { exchange, controller } = begun();
    exchange.onResponseStart(controller, 200, {});
    if (how === 'end') exchange.onResponseEnd(controller, {});
    else exchange.onResponseError(controller, new Error('reset'));
    expect(vi.getTimerCount()).toBe(0);
  });

  test('when there is no pace to keep, as for upstream, then a quiet stream is left alone', () => {
    const { bytes, framing } = LIMITS;
    const { exchange, controller, limit } = begun({ bytes, framing });
    exchange.onResponseStart(controller, 200, {});
    vi.advanceTimersByTime(600_000);
    expect(limit()).toBeNull();
  });
});

describe('what comes on the wire', () => {
  test('when others were answered on the connection before, then theirs does not count', () => {
    const { exchange, controller, socket, limit } = begun();
    exchange.onResponseStart(controller, 200, {});
    socket.bytesRead += 1_000;
    exchange.look();
    expect(limit()).toBeNull();
    socket.bytesRead += 1;
    exchange.look();
    expect(limit()).toBe('framing');
  });

  test('when bytes wait for a reader who is busy, then they are not taken for framing', () => {
    const { exchange, controller, socket, limit } = begun();
    exchange.onResponseStart(controller, 200, {});
    socket.bytesRead += 65_000;
    socket.readableLength = 65_000;
    exchange.look();
    expect(limit()).toBeNull();
  });

  test('when the head passes a limit, then the handler never sees its status', () => {
    const { exchange, controller, seen, limit } = begun();
    const cookies = Array.from({ length: 300 }, (_, n) => `c${n}=1`);
    exchange.onResponseStart(controller, 200, { 'set-cookie': cookies });
    expect({ limit: limit(), seen }).toEqual({ limit: 'headers', seen: [] });
  });
});
