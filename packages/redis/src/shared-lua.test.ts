import { expect, test } from 'vitest';
import { behindShared } from './shared-lua.ts';

const SHARED = `-- Ends of a job.
local ENDS = { done = true }

local function has_ended(job) -- as the table says
  return ENDS[job.st]
end

local function count(job)
  return #job
end

local function counted(job) return count(job) end
`;

test('when a script uses a shared function then what that needs stands in front of it too, and nothing else', () => {
  expect(behindShared(SHARED, 'return counted(K.job)')).toBe(
    'local function count(job)\n  return #job\nend\nlocal function counted(job) return count(job) end\nreturn counted(K.job)',
  );
  expect(behindShared(SHARED, 'return recount(K.job)')).toBe('return recount(K.job)');
});

test('when only one shared function uses another then that is made when the function is called', () => {
  const shared = 'local function add(n) return n + 1 end\nlocal function total(n) -- of all\n  return add(n)\nend\n';
  expect(behindShared(shared, 'return total(1)')).toBe(
    'local function total(n) \nlocal function add(n) return n + 1 end\n  return add(n)\nend\nreturn total(1)',
  );
  expect(behindShared(shared, 'return add(total(1))').indexOf('add')).toBe('local function '.length);
});

test('when only one shared function uses a table then that is made once, for a script may write into it', () => {
  expect(behindShared(SHARED, 'return has_ended(K.job)')).toBe(
    'local ENDS = { done = true }\nlocal function has_ended(job) \n  return ENDS[job.st]\nend\nreturn has_ended(K.job)',
  );
});

test('when a parameter of a function has the name of a part then no other part stands within it, where it would mean that', () => {
  const shared = 'local seen = {}\nlocal function note(job)\n  seen[1] = job\nend\nlocal function see(seen)\n  note(seen)\nend\n';
  const lua = behindShared(shared, 'see(K.job)');
  expect(lua.indexOf('function note')).toBeLessThan(lua.indexOf('function see'));
});

test('when a shared value is a number or a table of numbers then they stand in the place of their names', () => {
  const shared =
    'local SEATS = 100\nlocal rules = { most = 0.5, text = "x" }\nlocal function is_full(n)\n  return n >= SEATS * rules.most\nend\n';
  const isFull = 'local function is_full(n)\n  return n >= 100 * 0.5\nend\n';
  expect(behindShared(shared, 'return is_full(K.jobs)')).toBe(`${isFull}return is_full(K.jobs)`);
});

test('when a table of numbers is used otherwise too then it is there', () => {
  const shared = 'local rules = { most = 2 }\n';
  expect(behindShared(shared, 'return rules[K.name] or rules.most')).toBe(
    'local rules = { most = 2 }\nreturn rules[K.name] or 2',
  );
});

test('when shared Lua does something at its top level then it is refused, for no script would get it', () => {
  expect(() => behindShared(`${SHARED}redis.call('PING')\n`, '')).toThrow("redis.call('PING')");
});
