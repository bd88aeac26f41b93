import { type Fields, textOf } from './json-values.ts';

/** Texts and numbers that stand where there is no id. */
const NO_ID = /^(?:[0-]+|-1|null|nil|none|undefined|false|true|n\/?a)$/i;

/** The id of a task, under any of its names; a number that is none, as 0, does not count. */
export const idOf = (fields: Fields): string =>
  [fields['id'], fields['task_id'], fields['taskId']].map(textOf).find((id) => id !== '' && !NO_ID.test(id)) ?? '';

const LONGEST_ID = 200;

/** A text in the place of the task is its id; a longer one, a word, a sentence, a link or Markdown is none. */
export const isIdText = (text: string): boolean =>
  text.length <= LONGEST_ID &&
  /^[\x21-\x7e]+$/.test(text) &&
  !/["'`()<>]/.test(text) &&
  !NO_ID.test(text) &&
  !/^(?:[a-z_]+|(?:https?|data):.*|[[{].*)$/i.test(text);

const TASK_ID = /^(?:\d{1,6}-)?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** In the form that upstream's ids have (upstream.md §3.2): where any text may stand, only such a one is an id. */
export const isTaskIdForm = (text: string): boolean => TASK_ID.test(text);
