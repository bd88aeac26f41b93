/** Whoever asks whether a process is ready does not wait for longer, in ms; a part that does not answer in this time is not. */
export const READY_LIMIT_MS = 2000;
