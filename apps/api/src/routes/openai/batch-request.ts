import { type BatchDoc, BatchWebhook, ChatJob, type JobRequest, jobWebhook, Metadata } from '@grsai-jobs/jobs';
import { z } from 'zod';
import { Problem } from '../../http/problem.ts';
import { validateBody } from '../../http/validate.ts';
import { batchDoc } from '../../use-cases/create-batch.ts';
import type { ItemExtras, RawItem, ReadItem, ReadItemBy } from '../../use-cases/read-item.ts';
import type { FieldError } from '../../validation/validate.ts';
import { asSent as chatAsSent, readChatRequest } from './chat-request.ts';
import { EXPIRES_S } from './file-form.ts';
import { asSent as imageAsSent, readImageRequest } from './image-request.ts';

/** What callers send to make a batch of a file, and what stands in a line of that file. */

type Slices = Parameters<ReadItemBy>[1];

/** A body as the job that it becomes. */
type ReadBody = (
  body: Readonly<Record<string, unknown>>,
  o: { passOn: readonly string[]; slices: Slices },
) => Promise<{ request: JobRequest; more: ItemExtras; wrong?: FieldError[]; asSent: (error: FieldError) => FieldError }>;

/** What each line of a batch may be for. */
const ENDPOINTS: Readonly<Record<string, ReadBody>> = {
  '/v1/chat/completions': async (body, { passOn, slices }) => {
    const { request, stream } = await readChatRequest(body, passOn, slices);
    const whole = { pointer: '/stream', message: 'is not supported in a batch' };
    return {
      request,
      more: { origin: 'openai' },
      wrong: stream === null ? [] : [whole],
      asSent: (error) => chatAsSent(error, body),
    };
  },
  '/v1/images/generations': async (body, { slices }) => {
    const { request, n, format } = await readImageRequest(body, slices);
    const one = { pointer: '/n', message: 'must be 1 in a batch: send a line for each image' };
    return { request, more: { origin: 'openai', images_as: format }, wrong: n === 1 ? [] : [one], asSent: imageAsSent };
  },
};

const NO_ENDPOINT = `must be ${Object.keys(ENDPOINTS).join(' or ')}`;

const { priority, expires_in_s } = ChatJob.shape;

const FileBatchRequest = z.strictObject({
  input_file_id: z.string().min(1).max(64),
  endpoint: z.enum(Object.keys(ENDPOINTS) as [string, ...string[]], { error: NO_ENDPOINT }),
  completion_window: z.literal('24h', { error: 'must be 24h; grsai.expires_in_s sets another time' }),
  metadata: Metadata.optional(),
  output_expires_after: z
    .strictObject({ anchor: z.literal('created_at'), seconds: z.int().min(EXPIRES_S.min).max(EXPIRES_S.max) })
    .optional(),
  grsai: z
    .strictObject({
      webhook: BatchWebhook.optional(),
      priority: priority.optional(),
      expires_in_s: expires_in_s.optional(),
      attach: z.enum(['auto', 'never']).default('auto'),
    })
    .default({ attach: 'auto' }),
});

/** A request for a batch, as it is kept and as the batch is made. */
export interface FileBatchOrder {
  input_file_id: string;
  endpoint: string;
  completion_window: string;
  metadata: Record<string, string> | null;
  output_expires_s: number | null;
  doc: BatchDoc;
  /** A request that is sent again gets the answer of the earlier one. */
  attach: boolean;
}

/** @throws Problem `invalid_request` */
export function readFileBatchRequest(body: unknown): FileBatchOrder {
  const { grsai, metadata, output_expires_after, ...sent } = validateBody(FileBatchRequest, body);
  const { attach, ...ours } = grsai;
  return {
    ...sent,
    metadata: metadata ?? null,
    output_expires_s: output_expires_after?.seconds ?? null,
    doc: batchDoc({ ...ours, metadata: metadata ?? {} }),
    attach: attach === 'auto',
  };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const CUSTOM_ID_CHARS = 512;
/** So many wrong fields of one line are reported. */
const ERRORS_OF_A_LINE = 10;

const LINE_FIELDS = ['custom_id', 'method', 'url', 'body'];

const wrong = (pointer: string, code: string, message: string): FieldError => ({ pointer, code, message });

/** What is wrong with a line around its body. */
function lineProblems(line: Record<string, unknown>, endpoint: string): FieldError[] {
  const { custom_id: id, method, url, body } = line;
  const missing = LINE_FIELDS.filter((name) => line[name] === undefined || line[name] === null);
  const isThere = (name: string) => !missing.includes(name);
  return [
    ...missing.map((name) => wrong(`/${name}`, 'missing_required_parameter', 'is required')),
    ...(isThere('custom_id') && !(typeof id === 'string' && id.length > 0 && id.length <= CUSTOM_ID_CHARS)
      ? [wrong('/custom_id', 'invalid_custom_id', `must be a text of 1 to ${CUSTOM_ID_CHARS} characters`)]
      : []),
    ...(isThere('method') && method !== 'POST' ? [wrong('/method', 'invalid_method', 'must be POST')] : []),
    ...(isThere('url') && url !== endpoint
      ? [wrong('/url', 'invalid_url', `must be ${endpoint}, the endpoint of the batch`)]
      : []),
    ...(isThere('body') && !isObject(body) ? [wrong('/body', 'invalid_request', 'must be an object')] : []),
    ...Object.keys(line)
      .filter((name) => !LINE_FIELDS.includes(name))
      .map((name) => wrong(`/${name.slice(0, 64)}`, 'invalid_request', 'unknown field')),
  ];
}

const inBody = ({ pointer, ...error }: FieldError): FieldError => ({
  code: 'invalid_request',
  ...error,
  pointer: `/body${pointer}`,
});

/** Reads the lines of a file: what a line leaves out in `grsai` comes from the batch. */
export const readBatchLines =
  (endpoint: string, doc: BatchDoc, passOn: readonly string[]): ReadItemBy =>
  ({ check }, slices) => {
    const webhook = jobWebhook(doc.webhook);
    const under = { priority: doc.priority, expires_in_s: doc.expires_in_s, ...(webhook ? { webhook } : {}) };
    const lines = new Map<string, number>();
    const readBody = ENDPOINTS[endpoint] as ReadBody;

    function twice(customId: string, line: number): FieldError[] {
      const first = lines.get(customId);
      if (first !== undefined) return [wrong('/custom_id', 'duplicate_custom_id', `stands in line ${first} already`)];
      lines.set(customId, line);
      return [];
    }

    async function jobOf(sent: Record<string, unknown>) {
      const { grsai = {}, ...fields } = sent;
      try {
        const body = { ...fields, grsai: isObject(grsai) ? { ...under, ...grsai } : grsai };
        const { request, more, wrong: errors = [], asSent } = await readBody(body, { passOn, slices });
        return { request, more, errors: [...errors, ...check(request).map(asSent)] };
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        return { errors: error.errors ?? [{ pointer: '', message: error.message }] };
      }
    }

    return async ({ line, value, malformed }: RawItem): Promise<ReadItem> => {
      const refuse = (errors: readonly FieldError[]): ReadItem => ({
        custom_id: null,
        errors: errors.slice(0, ERRORS_OF_A_LINE),
      });
      if (malformed !== undefined) return refuse([wrong('', 'invalid_json_line', malformed)]);
      if (!isObject(value)) return refuse([wrong('', 'invalid_json_line', 'must be an object')]);
      const { custom_id: customId, body } = value;
      const around = lineProblems(value, endpoint);
      const again = typeof customId === 'string' ? twice(customId, line) : [];
      const job = isObject(body) ? await jobOf(body) : { errors: [] };
      const errors = [...around, ...again, ...job.errors.map(inBody)];
      if (errors.length > 0 || !('request' in job)) return refuse(errors);
      return { customId: customId as string, request: job.request, more: job.more };
    };
  };
