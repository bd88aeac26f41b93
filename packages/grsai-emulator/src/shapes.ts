import type { Strikes } from './faults.ts';
import { contentOf } from './files.ts';
import { type Look, look, type Task } from './tasks.ts';
import type { World } from './world.ts';

/** How a task looks from outside, in both dialects, with the faults that bend its look (F10–F14). */

export type Shape = Record<string, unknown>;

const fileUrl = (world: World, task: Task, name: string): string =>
  `${world.settings.fileBase || world.nodeUrl(task.node)}/file/${name}`;

/** The task object of the current API (upstream.md §3.2). */
export function currentShape(world: World, task: Task, strikes: Strikes): { readonly status: number; readonly body: Shape } {
  const seen = seenAs(world, task, strikes);
  const body: Shape = { id: task.id, status: seen.word, ...progressOf(seen, strikes) };
  if (seen.status === 'running') Object.assign(body, runningResults(world), errorWhileRunning(strikes));
  else if (seen.status === 'succeeded') Object.assign(body, resultsOf(world, task, strikes));
  else body['error'] = task.error;
  const broken = seen.status === 'failed' || seen.status === 'violation';
  const status = broken ? world.settings.failedStatus : 200;
  return { status, body: strikes.has('F14') ? envelope(body) : body };
}

/** The legacy task object (upstream.md §5.3). A violation is a failure there, with a reason. */
export function legacyShape(world: World, task: Task, strikes: Strikes): Shape {
  const seen = seenAs(world, task, strikes);
  const reasons: Readonly<Record<string, string>> = { failed: 'error', violation: task.moderation };
  return {
    id: task.id,
    results: null,
    progress: 0,
    ...progressOf(seen, strikes),
    status: seen.word === 'violation' ? 'failed' : seen.word,
    failure_reason: reasons[seen.status] ?? '',
    error: seen.status === 'running' || seen.status === 'succeeded' ? '' : task.error,
    ...(seen.status === 'running' ? errorWhileRunning(strikes) : {}),
    ...(seen.status === 'succeeded' ? resultsOf(world, task, strikes, '') : {}),
  };
}

export const envelope = (data: unknown): Shape => ({ code: 0, msg: 'success', data });

interface Seen extends Look {
  readonly word: string;
}

function seenAs(world: World, task: Task, strikes: Strikes): Seen {
  const real = look(task, world.clock.now());
  const seen: Look = strikes.as('F10') === 'forever' ? { status: 'running', progress: Math.min(real.progress, 99) } : real;
  const unknown = strikes.has('F13') && (strikes.text('F13', 'when') === 'end') === (seen.status !== 'running');
  return { ...seen, word: unknown ? (strikes.text('F13', 'word') ?? '') : seen.status };
}

function progressOf(seen: Look, strikes: Strikes): Shape {
  const form = seen.status === 'running' ? strikes.as('F10') : undefined;
  switch (form) {
    case 'missing':
      return { progress: undefined };
    case 'frozen':
      return { progress: strikes.number('F10', 'progress') };
    case 'falling':
      return { progress: 99 - seen.progress };
    default:
      return { progress: seen.progress };
  }
}

function runningResults(world: World): Shape {
  const form = world.settings.resultsWhileRunning;
  return form === 'missing' ? {} : { results: form === 'null' ? null : [] };
}

const errorWhileRunning = (strikes: Strikes): Shape => (strikes.has('F11') ? { error: strikes.text('F11', 'text') } : {});

/** The results of a task that succeeded, in the current shape or as F12 bends it. */
export function resultsOf(world: World, task: Task, strikes: Strikes, content: string | undefined = undefined): Shape {
  const text = task.content ?? content;
  const urls = task.files.map((name) => fileUrl(world, task, name));
  const entry = (fields: Shape): Shape => ({ ...fields, ...(text === undefined ? {} : { content: text }) });
  const list = (wrap: (url: string) => string | null): Shape => ({ results: urls.map((url) => entry({ url: wrap(url) })) });
  const inline = (wrap: (base64: string, type: string) => Shape): Shape => ({
    results: task.files.flatMap((name) => {
      const file = world.files.find(name, world.clock.now());
      if (file === undefined) return [];
      const { pieces, type } = contentOf(file);
      return [entry(wrap(Buffer.concat([...pieces()]).toString('base64'), type))];
    }),
  });
  switch (strikes.as('F12')) {
    case 'missing':
      return { results: undefined };
    case 'null':
      return { results: null };
    case 'empty':
      return { results: [] };
    case 'url-null':
      return list(() => null);
    case 'spaces':
      return list((url) => `  ${url} `);
    case 'backticks':
      return list((url) => `\`${url}\``);
    case 'strings':
      return { results: urls };
    case 'data-url':
      return inline((base64, type) => ({ url: `data:${type};base64,${base64}` }));
    case 'b64_json':
      return inline((base64) => ({ b64_json: base64 }));
    case 'object':
      return { results: entry({ url: urls[0] }) };
    case 'top-url':
      return { results: undefined, ...entry({ url: urls[0] }) };
    default:
      return list((url) => url);
  }
}
