import { JobRequest, withoutNulls } from '@grsai-jobs/jobs';
import type { Slices } from '@grsai-jobs/runtime';
import { invalid } from '../../http/validate.ts';
import { tryJob } from '../../validation/job.ts';
import type { FieldError } from '../../validation/validate.ts';
import { type FieldTable, ignore, isEmpty, isOneOf, readFields, refuse, route, take } from './fields.ts';
import { jobFields } from './grsai-field.ts';

const NO_TOOLS = 'is not supported: the upstream calls no tools';
const withoutTools = (_: unknown, { tools }: Readonly<Record<string, unknown>>) => tools === undefined || isEmpty(tools);

/** What becomes of each field of a chat completion; docs/openai.md has the same table. */
const CHAT_FIELDS: FieldTable = {
  model: take(),
  messages: take(),
  temperature: take(),
  top_p: take(),
  presence_penalty: take(),
  frequency_penalty: take(),
  stop: take(),
  response_format: take(),
  reasoning_effort: take(),
  max_tokens: take(),
  max_completion_tokens: take('max_tokens'),
  metadata: route,
  grsai: route,
  stream: take(),
  stream_options: route,
  user: ignore,
  store: ignore,
  service_tier: ignore,
  safety_identifier: ignore,
  prompt_cache_key: ignore,
  prompt_cache_retention: ignore,
  prompt_cache_options: ignore,
  verbosity: ignore,
  moderation: ignore,
  seed: ignore,
  n: refuse('must be 1: the upstream gives one answer to a chat', isOneOf(1)),
  logprobs: refuse('is not supported: the upstream has none', isOneOf(false)),
  top_logprobs: refuse('is not supported: the upstream has none', isOneOf(0)),
  logit_bias: refuse('is not supported', isEmpty),
  modalities: refuse('must be ["text"]', (value) => Array.isArray(value) && value.length === 1 && value[0] === 'text'),
  audio: refuse('is not supported'),
  tools: refuse(NO_TOOLS, isEmpty),
  tool_choice: refuse(NO_TOOLS, withoutTools),
  parallel_tool_calls: refuse(NO_TOOLS, withoutTools),
  functions: refuse(NO_TOOLS, isEmpty),
  function_call: refuse(NO_TOOLS, (_, { functions }) => functions === undefined || isEmpty(functions)),
  prediction: refuse('is not supported'),
  web_search_options: refuse('is not supported'),
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What a message of ours says. Calls of tools are refused by name where they hold something; all else that an answer had beside its text is dropped. */
const OF_MESSAGES = ['role', 'content', 'name'];
const CALLS = ['tool_calls', 'function_call'];
const isVoid = (value: unknown): boolean => value === '' || isEmpty(value);

/** Messages as our own schema has them: `developer` is `system`, and what is left of an answer is dropped. */
function readMessages(messages: unknown, ignored: Set<string>): unknown {
  if (!Array.isArray(messages)) return messages;
  return messages.map((message: unknown) => {
    if (!isObject(message)) return message;
    if (message['role'] === 'developer') return { ...message, role: 'system' };
    return message['role'] === 'assistant' ? readAnswer(message, ignored) : message;
  });
}

/** An answer that is sent back, whatever fields it had from upstream or from an SDK. */
function readAnswer(message: Readonly<Record<string, unknown>>, ignored: Set<string>): Record<string, unknown> {
  const kept = Object.entries(message).filter(([name, value]) => {
    if (OF_MESSAGES.includes(name) || (CALLS.includes(name) && !isVoid(value))) return true;
    if (!isVoid(value)) ignored.add(`messages.${name}`);
    return false;
  });
  const answer = Object.fromEntries(kept);
  const { content } = answer;
  return Array.isArray(content) ? { ...answer, content: content.length === 0 ? '' : content.map(asText) } : answer;
}

/** A refusal is a part of its own in the messages of OpenAI; here it is what was said. */
const asText = (part: unknown): unknown =>
  isObject(part) && part['type'] === 'refusal' && typeof part['refusal'] === 'string'
    ? { type: 'text', text: part['refusal'] }
    : part;

/** What is wrong with a body, by the names that its sender knows. */
export const asSent = ({ pointer, ...error }: FieldError, body: unknown): FieldError => {
  const [, first, ...rest] = pointer.split('/');
  if (first !== 'input') return { ...error, pointer: first === 'metadata' ? pointer : `/grsai${pointer}` };
  const [field, ...inside] = rest;
  const name = field === 'max_tokens' && isObject(body) && 'max_completion_tokens' in body ? 'max_completion_tokens' : field;
  return { ...error, pointer: name === undefined ? '' : ['', name, ...inside].join('/') };
};

const NO_SCHEMA = 'must be text or json_object: the upstream keeps to no schema. Ask for JSON in a message, and check the answer';

/** An answer by a schema is asked for by name, so it is refused by name. */
const schemaProblems = ({ response_format: format }: Readonly<Record<string, unknown>>): FieldError[] =>
  isObject(format) && format['type'] === 'json_schema' ? [{ pointer: '/response_format/type', message: NO_SCHEMA }] : [];

const asksForUsage = ({ stream_options: options }: Readonly<Record<string, unknown>>): boolean =>
  isObject(options) && options['include_usage'] === true;

/** A chat completion as the job that it becomes. */
export interface ChatOrder {
  request: JobRequest;
  ignored: readonly string[];
  /** A request that is sent again gets the answer of the earlier one. */
  attach: boolean;
  /** The answer is to come in pieces. */
  stream: { includeUsage: boolean } | null;
}

/**
 * Reads the body of a chat completion.
 * @param passOn names of fields that go to upstream as they are
 * @throws Problem `invalid_request` with the fields by their names here
 */
export async function readChatRequest(sent: unknown, passOn: readonly string[], slices: Slices): Promise<ChatOrder> {
  const body = withoutNulls(sent);
  if (!isObject(body)) throw invalid([{ pointer: '', message: 'must be an object' }]);
  const { input, ignored, errors } = readFields(body, CHAT_FIELDS, passOn);
  if (input['stream'] === false) delete input['stream'];
  const job = jobFields(body);
  const found = [...errors, ...job.errors, ...(passOn.includes('response_format') ? [] : schemaProblems(body))];
  if (found.length > 0) throw invalid(found);
  const said = new Set(ignored);
  const messages = readMessages(input['messages'], said);
  const read = await tryJob(
    JobRequest,
    { ...job.fields, type: 'chat', input: { ...input, ...('messages' in input ? { messages } : {}) } },
    slices,
  );
  if ('errors' in read) throw invalid(read.errors.map((error) => asSent(error, body)));
  const extra = Object.fromEntries(Object.entries(body).filter(([name]) => passOn.includes(name)));
  return {
    request: { ...read.data, input: { ...read.data.input, ...extra } } as JobRequest,
    ignored: [...said],
    attach: job.attach,
    stream: read.data.type === 'chat' && read.data.input.stream === true ? { includeUsage: asksForUsage(body) } : null,
  };
}
