import type { ReadModels } from '@grsai-jobs/jobs';
import type { Timers } from '../timers.ts';
import type { Catalogue } from './catalogue.ts';

const LOOK_EVERY_MS = 30_000;

export interface CatalogueWatch {
  readonly name: string;
  /** The list as it was seen last; `null`: there is none. */
  list(): ReadModels | null;
  /** The list as it is now. Rejects when Redis does not answer. */
  look(): Promise<ReadModels | null>;
  stop(): Promise<void>;
}

/** Keeps the list in memory, so that no request for a job waits for it. While it cannot be read the last one holds. */
export function watchCatalogue(
  { catalogue }: { catalogue: Pick<Catalogue, 'read'> },
  onError: (error: Error) => void,
  timers: Pick<Timers, 'every'>,
): CatalogueWatch {
  let seen: ReadModels | null = null;
  const look = async () => {
    seen = await catalogue.read();
    return seen;
  };
  const tryTo = () => void look().catch(onError);
  tryTo();
  const end = timers.every(LOOK_EVERY_MS, tryTo);
  return { name: 'catalogue watch', list: () => seen, look, stop: async () => end() };
}
