import {
  type BatchDoc,
  BatchItem,
  CUSTOM_ID,
  type JobDoc,
  type JobRequest,
  jobWebhook,
  plainChatItem,
  withoutNulls,
} from '@grsai-jobs/jobs';
import type { Slices } from '@grsai-jobs/runtime';
import { type Tried, tryJobOf } from '../validation/job.ts';
import type { FieldError } from '../validation/validate.ts';

/** One item of a batch as it was sent, with its place; `malformed` instead of a value when it is no strict JSON. */
export interface RawItem {
  line: number;
  bytes: number;
  value?: unknown;
  malformed?: string;
}

/** Items in groups, read one after another as they are asked for. */
export type RawItems = AsyncIterable<Iterable<RawItem>>;

/** An item of a batch that is fit to become a job, or what is wrong with it. */
export type ReadItem =
  | { customId: string; request: JobRequest; more?: ItemExtras | undefined }
  | { custom_id: string | null; errors: readonly FieldError[] };

/** What the record of the job says beside its request. */
export type ItemExtras = Pick<JobDoc, 'origin' | 'images_as'>;

/** Reads the items of one batch, one after another. Nothing is to be waited for with most of them: a promise takes a while itself. */
export type ReadItemBy = (o: ReadItemParts, slices: Slices) => (item: RawItem) => ReadItem | Promise<ReadItem>;

export interface ReadItemParts {
  /** What only this service can know to be wrong with a valid request. */
  check: (request: JobRequest) => FieldError[];
}

/** So many wrong fields of one line are reported. */
const ERRORS_OF_A_LINE = 10;

const wrong = (errors: readonly FieldError[], customId: string | null): ReadItem => ({
  custom_id: customId,
  errors: errors.slice(0, ERRORS_OF_A_LINE),
});

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function customIdOf(value: unknown): string | null {
  const id = isObject(value) ? value['custom_id'] : undefined;
  return typeof id === 'string' && CUSTOM_ID.test(id) ? id : null;
}

/**
 * Checks the items of one batch, one after another, as `POST /v1/jobs` checks its body. What an item leaves out comes from
 * the batch. A `custom_id` belongs to the first line that has it, whether or not that line is good.
 */
export function createReadItem(o: ReadItemParts, doc: BatchDoc, slices: Slices): ReturnType<ReadItemBy> {
  const { priority, expires_in_s, webhook } = doc;
  const ofJobs = jobWebhook(webhook);
  const under = { priority, expires_in_s, ...(ofJobs ? { webhook: ofJobs } : {}) };
  const lines = new Map<string, number>();

  function twice(customId: string | null, line: number): FieldError[] {
    if (customId === null) return [];
    const first = lines.get(customId);
    if (first !== undefined) return [{ pointer: '/custom_id', message: `stands in line ${first} already` }];
    lines.set(customId, line);
    return [];
  }

  return ({ line, bytes, value: sent, malformed }) => {
    if (malformed !== undefined) return wrong([{ pointer: '', message: malformed }], null);
    const value = withoutNulls(sent);
    const customId = customIdOf(value);
    const again = twice(customId, line);
    const item = isObject(value) ? { ...under, ...value } : value;
    const result = (read: Tried<typeof BatchItem>): ReadItem => {
      if ('errors' in read) return wrong([...again, ...read.errors], customId);
      const { custom_id, ...request } = read.data;
      const problems = [...again, ...o.check(request)];
      return problems.length > 0 ? wrong(problems, custom_id) : { customId: custom_id, request };
    };
    const plain = plainChatItem(item);
    if (plain !== null) return result({ data: plain });
    const read = tryJobOf(bytes, BatchItem, item, slices);
    return read instanceof Promise ? read.then(result) : result(read);
  };
}
