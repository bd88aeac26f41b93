import { STATES, type State, type StateRow, TRANSITIONS, type TransitionRow } from '@grsai-jobs/jobs';
import { type LuaLibrary, readLua, type SharedLua } from '@grsai-jobs/redis';

/**
 * The table of transitions for the guard (`job/guard.lua`): a function that makes the row that is asked for. A table of all rows would be
 * made anew by each call of each script.
 */
function transitionsInLua(): SharedLua {
  const rows = Object.entries(TRANSITIONS as Readonly<Record<string, TransitionRow>>).map(([name, row]) => {
    const from = row.from.map((state) => `['${state}'] = true`).join(', ');
    const flags = `${row.from.length === 0 ? ', creates = true' : ''}${row.whileErasing ? ', erases = true' : ''}`;
    return `  if name == '${name}' then return { from = { ${from} }, guard = '${row.guard}'${flags} } end`;
  });
  const steps = Object.entries(TRANSITIONS).filter(([, { step }]) => step === 'next');
  const isOne = steps.map(([name]) => `name == '${name}'`).join(' or ');
  return `local function transition_row(name)\n${rows.join('\n')}\nend\nlocal function has_next_step(name) return ${isOne} end\n`;
}

/** Columns of the table of states as functions of a state. Tables would be made anew by each call of each script. */
function stateFunctions(): SharedLua {
  const functions: Readonly<Record<string, (row: StateRow) => boolean>> = {
    may_expire: (row) => row.expires,
    is_terminal: (row) => row.end !== null,
    is_failed: (row) => row.end === 'failed',
    is_storing: (row) => row.sets.includes('storing'),
    may_be_late: (row) => row.sets.includes('late'),
  };
  const states = Object.entries(STATES) as [State, StateRow][];
  const bodies = Object.entries(functions).map(([name, holds]) => {
    const such = states.filter(([, row]) => holds(row)).map(([state]) => `state == '${state}'`);
    return `local function ${name}(state) return ${such.join(' or ')} end\n`;
  });
  return bodies.join('');
}

const part = (path: string): SharedLua => readLua(new URL(`../${path}.lua`, import.meta.url));

const RECORD = part('job/record');

/** What stands in front of each script; a part may use those above it. One that only reads needs no more than the form of a record. */
export const LUA_LIBRARY: LuaLibrary = {
  reads: RECORD,
  writes: [
    RECORD,
    part('layout/common'),
    transitionsInLua(),
    stateFunctions(),
    part('job/guard'),
    part('job/turns'),
    part('event/emit'),
    part('job/cost'),
    part('tenant/count-use'),
    part('operation/add-operation'),
    part('batch/count-in-batch'),
  ].join(''),
};
