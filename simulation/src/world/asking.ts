import type { Random } from '../random.ts';
import type { SimulatedApi, UseCases } from './service.ts';
import type { World } from './world.ts';

/** An API did not answer in this time, or died. */
class NoAnswer extends Error {}

const ANSWER_WITHIN_MS = 10_000;
const AGAIN_AFTER_MS = 2000;

type Act<T> = (use: UseCases, api: SimulatedApi) => Promise<T>;

/** How whoever is outside asks: over a network that may lose each answer, and APIs that may die. */
export interface Asking {
  /** One request to whichever API is there. */
  once<T>(act: Act<T>): Promise<T>;
  /** Asks until there is an answer that ends the matter: `undefined` asks again. */
  until<T>(who: string, act: Act<T | undefined>): Promise<T>;
  wait(ms: number): Promise<void>;
}

export function createAsking(world: World, random: Random): Asking {
  const { time } = world;
  const wait = (ms: number) => new Promise<void>((resolve) => void time.after(ms, resolve));

  function once<T>(act: Act<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = time.after(ANSWER_WITHIN_MS, () => reject(new NoAnswer('no answer')));
      const settle = (run: () => void) => {
        end();
        run();
      };
      const api = random.pick(world.apis);
      time.after(random.whole(1, 5), () =>
        api.enter(() => {
          act(api.useCases, api).then(
            (value) => time.after(random.whole(1, 5), () => settle(() => resolve(value))),
            (error: unknown) => time.after(random.whole(1, 5), () => settle(() => reject(error))),
          );
        }),
      );
    });
  }

  async function until<T>(who: string, act: Act<T | undefined>): Promise<T> {
    for (;;) {
      const answer = await once(act).catch((error: unknown) => world.story(who, 'refused', { error: String(error) }));
      if (answer !== undefined) return answer as T;
      await wait(AGAIN_AFTER_MS + random.whole(0, 1000));
    }
  }

  return { once, until, wait };
}
