import { type Fields, isVoid } from './json-values.ts';

/** A name without case and separators: `taskId`, `task_id` and `TaskID` are one. */
export const plainName = (name: string): string => name.toLowerCase().replace(/[\s_-]/g, '');

/** The fields that decide something: the name that upstream gives them, and what gateways write in its place, as plain names. */
const SPELLINGS: Readonly<Record<string, readonly string[]>> = {
  id: ['id'],
  task_id: ['taskid', 'jobid', 'generationid', 'taskuuid', 'uuid'],
  request_id: ['requestid'],
  status: ['status', 'state', 'taskstatus', 'taskstate', 'jobstatus'],
  progress: ['progress', 'percent', 'percentage'],
  results: ['results'],
  error: ['error', 'err', 'errors', 'errormessage', 'errormsg', 'errmsg'],
  failure_reason: ['failurereason', 'failreason'],
  code: ['code', 'errorcode', 'errcode', 'errno', 'retcode', 'ret'],
  message: ['message', 'msg', 'detail', 'reason', 'description', 'title'],
  data: ['data'],
  choices: ['choices'],
  usage: ['usage'],
};

const UPSTREAM_NAMES: ReadonlyMap<string, string> = new Map(
  Object.entries(SPELLINGS).flatMap(([name, spellings]) => spellings.map((spelling) => [spelling, name] as const)),
);

/** The same fields, those that decide something under upstream's names as well. A field that has such a name and says something stays. */
export function withUpstreamNames(fields: Fields): Fields {
  let found: Record<string, unknown> | undefined;
  for (const [name, value] of Object.entries(fields)) {
    const known = UPSTREAM_NAMES.get(plainName(name));
    if (known === undefined || known === name || isVoid(value) || !isVoid((found ?? fields)[known])) continue;
    found ??= { ...fields };
    found[known] = value;
  }
  return found ?? fields;
}
