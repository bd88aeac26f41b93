import { type EmulatorOptions, startEmulator } from '@grsai-jobs/grsai-emulator';
import { answerQuestions } from '../lib/children.ts';

/** `start` comes first and answers the address; `books` what upstream was asked for since. */
export type EmulatorQuestion =
  | { readonly ask: 'start'; readonly options: Pick<EmulatorOptions, 'taskMs' | 'chatMs'> }
  | { readonly ask: 'books' };

export interface EmulatorBooks {
  /** Tasks made. */
  readonly tasks: number;
  /** Polls answered. */
  readonly polls: number;
}

let tasks = 0;
let polls = 0;

answerQuestions(async (question: EmulatorQuestion): Promise<string | EmulatorBooks> => {
  if (question.ask === 'books') return { tasks, polls };
  const emulator = await startEmulator(question.options);
  emulator.on('submit', ({ outcome }) => {
    if (outcome === 'accepted') tasks += 1;
  });
  emulator.on('answer', ({ kind }) => {
    if (kind === 'result') polls += 1;
  });
  return emulator.url;
});
