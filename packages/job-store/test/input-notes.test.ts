import { expect, test } from 'vitest';
import { imageDoc, newJobId, startStore } from './harness.ts';

const noted = async () => {
  const kit = await startStore();
  const id = newJobId();
  const note = { jobId: id, objects: ['acme/in-0.png', 'acme/in-1.png'] };
  await kit.store.inputNotes.write(note);
  return { kit, note, accept: () => kit.store.transitions.create({ id, tenant: 'acme', doc: imageDoc(), inputs: note }) };
};

test('when a job is accepted then the note of its inputs goes with the same script', async () => {
  const { kit, note, accept } = await noted();
  expect(await kit.store.inputNotes.before(kit.clock.now(), 10)).toEqual([note]);
  expect((await accept()).kind).toBe('ok');
  expect(await kit.store.inputNotes.before(kit.clock.now(), 10)).toEqual([]);
  expect(await kit.store.inputNotes.take(note)).toBe(false);
  // Sent again by the client library.
  expect((await accept()).kind).toBe('ok');
});

test('when the inputs of a request are taken to be deleted then no job comes of it any more, until they are gone', async () => {
  const { kit, note, accept } = await noted();
  expect(await kit.store.inputNotes.take(note)).toBe(true);
  expect(await accept()).toEqual({ kind: 'late' });
  // Whoever took it died before it had deleted them: the next one finds it.
  expect(await kit.store.inputNotes.before(0, 10)).toEqual([note]);
  expect(await kit.store.inputNotes.take(note)).toBe(true);
  await kit.store.inputNotes.forget([note]);
  expect(await accept()).toEqual({ kind: 'late' });
  expect(await kit.store.jobs.read(note.jobId)).toBeNull();
  expect(await kit.store.inputNotes.take(note)).toBe(false);
});

test('when the record of a note is there then its inputs stay and the note is forgotten', async () => {
  const { kit, note } = await noted();
  await kit.store.transitions.create({ id: note.jobId, tenant: 'acme', doc: imageDoc() });
  expect(await kit.store.inputNotes.take(note)).toBe(false);
  expect(await kit.store.inputNotes.before(kit.clock.now(), 10)).toEqual([]);
});
