import type { Scope } from '@grsai-jobs/job-store';
import { type RequestHandler, Router } from 'express';
import type { ZodOpenApiOperationObject, ZodOpenApiPathsObject } from 'zod-openapi';
import type { Auth } from './auth.ts';

type Method = 'get' | 'post' | 'patch' | 'delete';

/** `{id}` and the like of a path, each with its text. */
type PathValues<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? { [Key in Name]: string } & PathValues<Rest>
  : Record<never, string>;

/** All there is of one route: how it is reached, who may use it, what the document says of it, and what it does. */
export interface Route<Deps> {
  readonly method: Method;
  /** As the document has it: `/v1/jobs/{id}`. */
  readonly path: `/${string}`;
  /** What the key of a request needs; `null`: no key is asked for. */
  readonly scope: Scope | null;
  readonly operation: ZodOpenApiOperationObject;
  /** What runs behind the check of the key. */
  readonly handlers: (deps: Deps) => readonly RequestHandler[];
}

/** The dependencies of several routes together. */
export type DepsOf<Routes extends readonly unknown[]> = Routes[number] extends Route<infer Deps> ? Deps : never;

/** Says what a route is; its handlers know the names in its path. */
export const route = <const Path extends `/${string}`, Deps>(
  said: Omit<Route<Deps>, 'path' | 'handlers'> & {
    path: Path;
    handlers: (deps: Deps) => readonly RequestHandler<PathValues<Path>>[];
  },
): Route<Deps> => said as unknown as Route<Deps>;

/** Serves these routes. */
export function routerOf<Deps extends { auth: Auth }>(routes: readonly Route<Deps>[], deps: Deps): Router {
  const router = Router();
  for (const { method, path, scope, handlers } of routes)
    router[method](
      path.replaceAll(/\{(\w+)\}/g, ':$1'),
      ...(scope === null ? [] : [deps.auth.requireScope(scope)]),
      ...handlers(deps),
    );
  return router;
}

/** What the document says of these routes, in their order. */
export function pathsOf(routes: readonly Route<never>[]): ZodOpenApiPathsObject {
  const paths: ZodOpenApiPathsObject = {};
  for (const { method, path, operation } of routes) paths[path] = { ...paths[path], [method]: operation };
  return paths;
}
