/** Somebody asked the emulator for something it does not have: a mistake of the test, never part of the protocol. */
export class AskError extends Error {
  override readonly name = 'AskError';
}
