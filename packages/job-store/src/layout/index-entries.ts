import { defineScript } from '@grsai-jobs/redis';

/** The entry of this step of a job or delivery is there: check it again later. */
export const postpone = defineScript({
  lua: new URL('./postpone.lua', import.meta.url),
  keys: ['record', 'due'],
  args: ['id', 'step', 'due_at'],
  whenFull: 'runs',
});

/** An id leaves a set that its record, a job or a delivery, no longer belongs to. */
export const forget = defineScript({
  lua: new URL('./forget.lua', import.meta.url),
  keys: ['record', 'set'],
  args: ['id', 'step?'],
  whenFull: 'runs',
});
