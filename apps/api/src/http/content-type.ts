/** The type of a body without its parameters, in lower case. */
const typeOf = (header: string): string => (header.split(';')[0] ?? '').trim().toLowerCase();

/** None of these is registered; each is what some tool sends for lines of JSON. */
const LINES = ['application/x-ndjson', 'application/ndjson', 'application/jsonl', 'application/x-jsonl', 'application/jsonlines'];

export const isJson = (header: string | undefined): boolean => typeOf(header ?? '') === 'application/json';

/** Lines of JSON, by any of their names. */
export const isJsonLines = (header: string | undefined): boolean => LINES.includes(typeOf(header ?? ''));
