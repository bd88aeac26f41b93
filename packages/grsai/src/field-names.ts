import { type Fields, isFields, isVoid } from './json-values.ts';

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
  choices: ['choices', 'choice'],
  usage: ['usage'],
};

type Names = ReadonlyMap<string, string>;

const namesOf = (spellings: Readonly<Record<string, readonly string[]>>): Names =>
  new Map(Object.entries(spellings).flatMap(([name, plain]) => plain.map((spelling) => [spelling, name] as const)));

const UPSTREAM_NAMES = namesOf(SPELLINGS);
const CHOICE_NAMES = namesOf({
  index: ['index'],
  message: ['message'],
  delta: ['delta'],
  text: ['text'],
  finish_reason: ['finishreason'],
});
const MESSAGE_NAMES = namesOf({ role: ['role'], content: ['content'] });

/** The same fields, those that decide something under upstream's names as well. A field that has such a name and says something stays. */
export const withUpstreamNames = (fields: Fields): Fields => withNames(fields, UPSTREAM_NAMES);

/** The same of a choice of a chat, and of the message or piece in it. */
export function withChoiceNames(fields: Fields): Fields {
  const choice = withNames(fields, CHOICE_NAMES);
  const inner = ['message', 'delta'].flatMap((name) => {
    const said = choice[name];
    const named = isFields(said) ? withNames(said, MESSAGE_NAMES) : said;
    return named === said ? [] : [[name, named] as const];
  });
  return inner.length === 0 ? choice : { ...choice, ...Object.fromEntries(inner) };
}

function withNames(fields: Fields, names: Names): Fields {
  let found: Record<string, unknown> | undefined;
  for (const [name, value] of Object.entries(fields)) {
    const known = names.get(plainName(name));
    if (known === undefined || known === name || isVoid(value) || !isVoid((found ?? fields)[known])) continue;
    found ??= { ...fields };
    found[known] = value;
  }
  return found ?? fields;
}
