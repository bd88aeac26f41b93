import type { Strikes } from './faults.ts';

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Fields that no page names. */
const EXTRA: Fields = {
  sdkHttpResponse: { headers: { 'content-type': 'text/html' } },
  trace_id: '0a1b2c',
  warnings: ['apikey error', 'generate failed'],
  meta: { error: 'insufficient credits', retry: [1, null, { a: {} }] },
  nothing: null,
};

/** Fields that pages name, of a type that none gives them; whatever carries the answer itself is left alone. */
const RETYPED: Readonly<Record<string, unknown>> = {
  progress: '100',
  error: null,
  created: 'now',
  usage: 'n/a',
  finish_reason: 0,
  system_fingerprint: 5,
  content_filter_results: 'none',
  start_time: false,
  failure_reason: null,
  index: '0',
  refusal: [],
  annotations: 0,
};

/** F25: an answer with more fields, or with odd types beside what it says. Enters results, choices and messages. */
export function oddly(value: unknown, strikes: Strikes): unknown {
  const form = strikes.as('F25');
  if (form === undefined || !isFields(value)) return value;
  return bend(value, form === 'types' ? RETYPED : EXTRA);
}

function bend(fields: Fields, odd: Fields): Fields {
  const inner = Object.entries(fields).flatMap(([name, value]): [string, unknown][] => {
    if (name === 'results' || name === 'choices' || (name === 'data' && Array.isArray(value)))
      return [[name, Array.isArray(value) ? value.map((item: unknown) => (isFields(item) ? bend(item, odd) : item)) : value]];
    return (name === 'message' || name === 'delta' || name === 'data') && isFields(value) ? [[name, bend(value, odd)]] : [];
  });
  // A reason that is given stays as it is: only its neighbours are odd.
  const given = typeof fields['error'] === 'string' || isFields(fields['error']) ? { error: fields['error'] } : {};
  return { ...fields, ...odd, ...given, ...Object.fromEntries(inner) };
}
