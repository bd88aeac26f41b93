import { exampleOf, examplesOf, type Located } from './document.ts';

/** One request that the document shows. */
export interface Shown {
  what: string;
  query: Record<string, string>;
  headers: Record<string, string>;
  body?: string;
}

const NOTHING: Omit<Shown, 'what'> = { query: {}, headers: {} };

/** What goes only along with another parameter. */
const ALONG: Readonly<Record<string, Record<string, string>>> = {
  webhook_events: { webhook_url: 'https://caller.example/hooks' },
};

/** The bodies that an operation shows, and none where it may be left out. */
function bodiesOf({ operation }: Located): Shown[] {
  const { requestBody } = operation;
  if (requestBody === undefined) return [{ what: 'no body', ...NOTHING }];
  const shown = Object.entries(requestBody.content).flatMap(([type, media]) =>
    examplesOf(media).map(
      ([name, value]): Shown => ({
        ...NOTHING,
        what: `${type}, ${name}`,
        headers: { 'content-type': type },
        body: typeof value === 'string' ? value : JSON.stringify(value),
      }),
    ),
  );
  return requestBody.required === true ? shown : [...shown, { what: 'no body', ...NOTHING }];
}

/** Each parameter that may be left out, alone beside the first body. */
function optionsOf(located: Located, first: Shown): Shown[] {
  return (located.operation.parameters ?? []).flatMap((parameter): Shown[] => {
    if (parameter.in === 'path' || parameter.required === true) return [];
    const value = String(exampleOf(parameter));
    return [
      {
        ...first,
        what: `${parameter.name}: ${value}`,
        ...(parameter.in === 'query'
          ? { query: { ...first.query, ...ALONG[parameter.name], [parameter.name]: value } }
          : { headers: { ...first.headers, [parameter.name.toLowerCase()]: value } }),
      },
    ];
  });
}

/** Each kind of answer that can be asked for beside the first. */
function kindsOf({ operation }: Located, first: Shown): Shown[] {
  const kinds = Object.keys(operation.responses['200']?.content ?? {});
  if (kinds.length < 2) return [];
  return kinds.map((accept) => ({ ...first, what: `Accept: ${accept}`, headers: { ...first.headers, accept } }));
}

/** Every request that the document shows of an operation; each of them has to work. */
export function requestsOf(located: Located): Shown[] {
  const required = (located.operation.parameters ?? []).filter(({ required: is, in: place }) => is === true && place !== 'path');
  const demanded = (place: 'query' | 'header') =>
    Object.fromEntries(
      required.filter((each) => each.in === place).map((each) => [each.name.toLowerCase(), String(exampleOf(each))]),
    );
  const bodies = bodiesOf(located).map((shown) => ({
    ...shown,
    query: { ...demanded('query'), ...shown.query },
    headers: { ...demanded('header'), ...shown.headers },
  }));
  const [first] = bodies;
  return first === undefined ? [] : [...bodies, ...optionsOf(located, first), ...kindsOf(located, first)];
}
