import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { watchDisturbance } from './disturbance.ts';

function start(status: 'ready' | 'connecting') {
  const connection = Object.assign(new EventEmitter(), { status });
  const world = { elapsed: 0 };
  const disturbance = watchDisturbance([connection as never], () => world.elapsed);
  const become = (now: 'ready' | 'reconnecting', event: string) => {
    connection.status = now as typeof status;
    connection.emit(event);
  };
  return { connection, world, disturbance, become };
}

test.each(['ready', 'connecting'] as const)('when a process has just connected (%s) then nothing was disturbed', (status) => {
  const { disturbance, become } = start(status);
  if (status === 'connecting') {
    expect(disturbance.within(30_000)).toBe(true);
    become('ready', 'ready');
  }
  expect(disturbance.within(30_000)).toBe(false);
});

test.each(['ready', 'connecting'] as const)(
  'when a connection is lost (%s at first) then it is disturbed until it is back for a while',
  (status) => {
    const { world, disturbance, become } = start(status);
    if (status === 'connecting') become('ready', 'ready');
    world.elapsed = 60_000;
    become('reconnecting', 'close');
    expect(disturbance.within(30_000)).toBe(true);
    world.elapsed = 120_000;
    become('ready', 'ready');
    world.elapsed = 150_000;
    expect(disturbance.within(30_000)).toBe(true);
    world.elapsed = 150_001;
    expect(disturbance.within(30_000)).toBe(false);
  },
);

test('when a write is refused then it is disturbed for a while', () => {
  const { connection, world, disturbance } = start('ready');
  world.elapsed = 5000;
  connection.emit('refused');
  expect(disturbance.within(30_000)).toBe(true);
  world.elapsed = 35_001;
  expect(disturbance.within(30_000)).toBe(false);
});
