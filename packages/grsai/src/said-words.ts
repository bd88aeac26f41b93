import { type Fields, isFields, isVoid, textOf } from './json-values.ts';

/** Objects inside objects that are looked through for words. */
const DEPTH = 3;

/** Words that say that nothing is wrong. */
const NO_ERROR =
  /^(?:null|nil|none|undefined|false|ok|success(?:ful|fully)?|succeed(?:ed)?|no error|0|200|[^失敗败错]{0,6}成功)$/i;

export const saysAllWell = (text: string): boolean => text === '' || NO_ERROR.test(text);

/** A mere yes: why something is wrong stands elsewhere. */
const BARE = /^(?:true|yes|-?\d{1,6}|err(?:or)?|fail(?:ed|ure)?|失[败敗]|[错錯][误誤])$/i;

export const isBareFlag = (text: string): boolean => BARE.test(text);

/** Where the words of an error stand, the best first. */
const WORDS = ['message', 'msg', 'detail', 'error', 'description', 'reason', 'text', 'type', 'code', 'Message', 'Code'];

/** What an `error` of any type says; empty when it says that nothing is wrong. */
export function wordsOf(error: unknown, depth = 0): string {
  if (isVoid(error) || error === true || depth > DEPTH) return '';
  if (typeof error !== 'object') return saysAllWell(textOf(error)) ? '' : textOf(error);
  if (Array.isArray(error))
    return error
      .map((item) => wordsOf(item, depth + 1))
      .filter(Boolean)
      .join('; ');
  const fields = error as Fields;
  const words = WORDS.map((name) => wordsOf(fields[name], depth + 1));
  return words.find((each) => each !== '' && !isBareFlag(each)) ?? words.find(Boolean) ?? unknownWords(fields);
}

const unknownWords = (fields: Fields): string => (isFine(fields) ? '' : JSON.stringify(fields).slice(0, 300));

/** Nothing in it is filled, or what is says that all is well. */
const isFine = (value: unknown): boolean =>
  isVoid(value) || (isFields(value) ? Object.values(value).every(isFine) : saysAllWell(textOf(value)));
