import { expect, test } from 'vitest';
import { imageDoc, newJobId, startStore } from './harness.ts';

const noted = async () => {
  const harness = await startStore();
  const id = newJobId();
  const note = { jobId: id, objects: ['acme/in-0.png', 'acme/in-1.png'] };
  await harness.store.inputNotes.write(note);
  return { harness, note, accept: () => harness.store.transitions.create({ id, tenant: 'acme', doc: imageDoc(), inputs: note }) };
};

test('when a job is accepted then the note of its inputs goes with the same script', async () => {
  const { harness, note, accept } = await noted();
  expect(await harness.store.inputNotes.before(harness.clock.now(), 10)).toEqual([note]);
  expect((await accept()).kind).toBe('ok');
  expect(await harness.store.inputNotes.before(harness.clock.now(), 10)).toEqual([]);
  expect(await harness.store.inputNotes.take(note, 0)).toBe(false);
  // Sent again by the client library.
  expect((await accept()).kind).toBe('ok');
});

test('when the inputs of a request are taken to be deleted then no job comes of it any more, until they are gone', async () => {
  const { harness, note, accept } = await noted();
  expect(await harness.store.inputNotes.take(note, 0)).toBe(true);
  expect(await accept()).toEqual({ kind: 'late' });
  // Whoever took it died before it had deleted them: the next one finds it.
  expect(await harness.store.inputNotes.before(0, 10)).toEqual([note]);
  expect(await harness.store.inputNotes.take(note, 0)).toBe(true);
  await harness.store.inputNotes.forget([note]);
  expect(await accept()).toEqual({ kind: 'late' });
  expect(await harness.store.jobs.read(note.jobId)).toBeNull();
  expect(await harness.store.inputNotes.take(note, 0)).toBe(false);
});

test('when a note is younger than asked for by the clock of Redis then its inputs stay, and a job may come of it', async () => {
  const { harness, note, accept } = await noted();
  harness.clock.advance(999);
  expect(await harness.store.inputNotes.take(note, 1000)).toBe(false);
  expect((await accept()).kind).toBe('ok');
});

test('when the record of a note is there then its inputs stay and the note is forgotten', async () => {
  const { harness, note } = await noted();
  await harness.store.transitions.create({ id: note.jobId, tenant: 'acme', doc: imageDoc() });
  expect(await harness.store.inputNotes.take(note, 0)).toBe(false);
  expect(await harness.store.inputNotes.before(harness.clock.now(), 10)).toEqual([]);
});
