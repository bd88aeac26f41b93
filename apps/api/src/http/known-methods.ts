const METHODS = ['get', 'put', 'post', 'patch', 'delete'] as const;

/** The part of an OpenAPI document that names routes. */
interface Routes {
  paths?: Readonly<Record<string, object>>;
}

const patternOf = (template: string): RegExp =>
  new RegExp(`^${template.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&').replaceAll(/\{[^}]+\}/g, '[^/]+')}/?$`, 'i');

/** The methods that a path takes by the document, in upper case; none for a path that it does not know. */
export function knownMethods(document: Routes): (path: string) => string[] {
  const routes = Object.entries(document.paths ?? {}).map(([template, item]) => ({
    pattern: patternOf(template),
    methods: METHODS.filter((method) => method in item).map((method) => method.toUpperCase()),
  }));
  return (path) => [...new Set(routes.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods))];
}
