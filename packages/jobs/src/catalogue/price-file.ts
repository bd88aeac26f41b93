import type { ModelPrice } from './model.ts';

/** What a file of prices says, or what is wrong with it, each problem with its place. */
export type PriceFile = { readonly prices: ReadonlyMap<string, ModelPrice> } | { readonly problems: readonly string[] };

export const PRICE_FILE_LIMITS = { bytes: 1024 * 1024, models: 1000, credits: 1e12 } as const;

const SHAPES =
  '{"credits": 1200} for a call, {"input": 30000, "output": 140000} for a million tokens, or {"per_second": {"1080p": 900}}';
const MODEL = /^[A-Za-z0-9._:/@-]{1,128}$/;
const RESOLUTION = /^[A-Za-z0-9][A-Za-z0-9._-]{0,15}$/;
const AMOUNT = `a number of credits from 0 to ${PRICE_FILE_LIMITS.credits}`;

/** Reads the JSON that `MODEL_PRICES` names: `{"<model>": <price>}`. It is taken as a whole or not at all. */
export function readPriceFile(text: string): PriceFile {
  const json = text.replace(/^\uFEFF/, '');
  const read = parsed(json);
  if ('problem' in read) return { problems: [read.problem] };
  const { value } = read;
  if (!isObject(value)) return { problems: [`must be one object of models, such as {"nano-banana-2": {"credits": 1200}}`] };
  const keys = keysOf(json);
  const lines = new Map<string, number>();
  const problems: string[] = [];
  for (const { name, line } of keys) {
    const first = lines.get(name);
    if (first !== undefined) problems.push(`line ${line}: ${shown(name)} stands there twice, first in line ${first}`);
    else lines.set(name, line);
  }
  const { models } = PRICE_FILE_LIMITS;
  if (lines.size > models) problems.push(`has ${lines.size} models; at most ${models} are taken`);
  const prices = new Map<string, ModelPrice>();
  for (const [name, price] of Object.entries(value)) {
    const wrong = MODEL.test(name) ? priceProblem(price) : 'is no name of a model: letters, digits and . _ : / @ - only';
    if (wrong === undefined) prices.set(name, price as ModelPrice);
    else problems.push(`line ${lines.get(name)}: ${shown(name)} ${wrong}`);
  }
  return problems.length > 0 ? { problems } : { prices };
}

function parsed(json: string): { value: unknown } | { problem: string } {
  if (json.trim() === '') return { problem: 'is empty; without prices write {}' };
  try {
    return { value: JSON.parse(json) };
  } catch {
    const line = firstBadLine(json.split('\n'));
    return line === undefined
      ? { problem: 'ends before its JSON does; a brace or a quote is missing' }
      : { problem: `line ${line}: is no JSON; a comma, a quote or a brace is missing or too many` };
  }
}

/** The line with which a text stops being the beginning of JSON. No token of JSON goes over a line, so that whole lines tell. */
function firstBadLine(lines: readonly string[]): number | undefined {
  let [good, bad] = [0, lines.length + 1];
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (mayGoOn(lines.slice(0, middle).join('\n'))) good = middle;
    else bad = middle;
  }
  return bad > lines.length ? undefined : bad;
}

/** Whether nothing is wrong but that there is no more of it. */
function mayGoOn(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    const problem = String(error);
    if (problem.includes('Unterminated string')) return false;
    return problem.includes('end of JSON input') || problem.includes(`at position ${text.length} `);
  }
}

type JsonObject = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/** What is wrong with the price of a model; `undefined`: nothing. */
function priceProblem(price: unknown): string | undefined {
  if (!isObject(price)) return `must have a price: ${SHAPES}`;
  const names = Object.keys(price).sort().join(' ');
  if (names === 'credits') return amountProblem('"credits"', price['credits']);
  if (names === 'input output') return amountProblem('"input"', price['input']) ?? amountProblem('"output"', price['output']);
  if (names === 'per_second') return perSecondProblem(price['per_second']);
  return `must have one kind of price and nothing else: ${SHAPES}`;
}

function perSecondProblem(rates: unknown): string | undefined {
  if (!isObject(rates) || Object.keys(rates).length === 0) return '"per_second" must have resolutions, such as {"1080p": 900}';
  for (const [name, rate] of Object.entries(rates)) {
    if (!RESOLUTION.test(name)) return '"per_second" has a resolution that is none; write it like "1080p"';
    const wrong = amountProblem(`"per_second" of "${name}"`, rate);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function amountProblem(what: string, amount: unknown): string | undefined {
  if (typeof amount === 'string') return `${what} must be ${AMOUNT}, without quotes`;
  const right = typeof amount === 'number' && amount >= 0 && amount <= PRICE_FILE_LIMITS.credits;
  return right ? undefined : `${what} must be ${AMOUNT}`;
}

/** The keys of the outermost object of a text that is JSON, with their lines. */
function keysOf(json: string): { name: string; line: number }[] {
  const keys: { name: string; line: number }[] = [];
  let [depth, line] = [0, 1];
  let last = { text: '""', line };
  // A text that does not end goes on to the end, so that no text is read twice.
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"?|[{}[\]:\n]/g)) {
    if (token === '\n') line += 1;
    else if (token === '{' || token === '[') depth += 1;
    else if (token === '}' || token === ']') depth -= 1;
    else if (token !== ':') last = { text: token, line };
    else if (depth === 1) keys.push({ name: JSON.parse(last.text) as string, line: last.line });
  }
  return keys;
}

/** A name as it can stand in a message. */
const shown = (name: string): string => {
  const text = JSON.stringify(name);
  return text.length <= 80 ? text : `${text.slice(0, 79)}…"`;
};
