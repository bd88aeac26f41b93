import { defineScript } from '@grsai-jobs/redis';

/** One field of a small hash of which there are few, on a full Redis too. */
export const setField = defineScript({
  lua: new URL('./set-field.lua', import.meta.url),
  keys: ['hash'],
  args: ['field', 'text', 'only_new?'],
  whenFull: 'runs',
});
