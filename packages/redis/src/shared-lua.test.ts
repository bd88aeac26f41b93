import { expect, test } from 'vitest';
import { neededOf } from './shared-lua.ts';

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

test('when a script uses a shared function then it gets what that needs too, and nothing else', () => {
  expect(neededOf(SHARED, 'return has_ended(K.job)')).toBe(
    'local ENDS = { done = true }\nlocal function has_ended(job) \n  return ENDS[job.st]\nend\n',
  );
  expect(neededOf(SHARED, 'return counted(K.job)')).toBe(
    'local function count(job)\n  return #job\nend\nlocal function counted(job) return count(job) end\n',
  );
  expect(neededOf(SHARED, 'return recount(K.job)')).toBe('');
});

test('when shared Lua does something at its top level then it is refused, for no script would get it', () => {
  expect(() => neededOf(`${SHARED}redis.call('PING')\n`, '')).toThrow("redis.call('PING')");
});
