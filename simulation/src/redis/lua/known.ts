import type { Expression } from './syntax.ts';

const COMPARES = new Set(['==', '~=', '<', '>', '<=', '>=']);

/** Whether it is true or false in JavaScript as it is in Lua. */
export function isBoolean(e: Expression): boolean {
  if (e.type === 'one') return isBoolean(e.of);
  if (e.type === 'binary') return COMPARES.has(e.operator);
  if (e.type === 'unary') return e.operator === 'not';
  return e.type === 'boolean' || (e.type === 'logical' && isBoolean(e.left) && isBoolean(e.right));
}

/** Functions of libraries that always answer one value. */
export const SINGLE = new Set([
  ...['tonumber', 'tostring', 'type', 'cjson.decode', 'cjson.encode', 'table.concat', 'redis.call', 'redis.pcall'],
  ...['string.sub', 'string.len', 'string.format', 'math.floor', 'math.ceil', 'math.max', 'math.min'],
]);
