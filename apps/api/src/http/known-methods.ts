const METHODS = ['get', 'put', 'post', 'patch', 'delete'] as const;

/** The part of an OpenAPI document that names routes. */
interface Routes {
  paths?: Readonly<Record<string, object>>;
}

/** A route that no document of ours names. */
interface Unnamed {
  readonly method: string;
  readonly path: string;
}

const patternOf = (template: string): RegExp =>
  new RegExp(`^${template.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&').replaceAll(/\{[^}]+\}/g, '[^/]+')}/?$`, 'i');

/** The methods that a path takes by the document and the routes beside it, in upper case; none for a path that neither knows. */
export function knownMethods(document: Routes, beside: readonly Unnamed[] = []): (path: string) => string[] {
  const named = Object.entries(document.paths ?? {}).map(([template, item]) => ({
    pattern: patternOf(template),
    methods: METHODS.filter((method) => method in item).map((method) => method.toUpperCase()),
  }));
  const unnamed = beside.map(({ method, path }) => ({ pattern: patternOf(path), methods: [method.toUpperCase()] }));
  const routes = [...named, ...unnamed];
  return (path) => [...new Set(routes.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods))];
}
