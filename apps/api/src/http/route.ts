import type { Scope } from '@grsai-jobs/job-store';
import { type RequestHandler, Router } from 'express';
import type { ZodOpenApiOperationObject, ZodOpenApiPathsObject } from 'zod-openapi';
import type { Auth } from './auth.ts';

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** `{id}` and the like of a path, each with its text. */
type PathValues<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? { [Key in Name]: string } & PathValues<Rest>
  : Record<never, string>;

/** How a route is reached, who may use it, and what it does. */
export interface Served<Deps> {
  readonly method: Method;
  /** As a document has it: `/v1/jobs/{id}`. */
  readonly path: `/${string}`;
  /** What the key of a request needs; `null`: no key is asked for. */
  readonly scope: Scope | null;
  /** What runs behind the check of the key. */
  readonly handlers: (deps: Deps) => readonly RequestHandler[];
}

/** All there is of one route of ours: with what the document says of it. */
export interface Route<Deps> extends Served<Deps> {
  readonly operation: ZodOpenApiOperationObject;
}

/** The dependencies of several routes together. */
export type DepsOf<Routes extends readonly unknown[]> = Routes[number] extends Served<infer Deps> ? Deps : never;

/** Says what a route is; its handlers know the names in its path. */
export const route = <const Path extends `/${string}`, Deps>(
  said: Omit<Route<Deps>, 'path' | 'handlers'> & {
    path: Path;
    handlers: (deps: Deps) => readonly RequestHandler<PathValues<Path>>[];
  },
): Route<Deps> => said as unknown as Route<Deps>;

/** The same of a route that another document than ours describes. */
export const served = <const Path extends `/${string}`, Deps>(
  said: Omit<Served<Deps>, 'path' | 'handlers'> & {
    path: Path;
    handlers: (deps: Deps) => readonly RequestHandler<PathValues<Path>>[];
  },
): Served<Deps> => said as unknown as Served<Deps>;

/** Serves these routes. */
export function routerOf<Deps extends { auth: Auth }>(routes: readonly Served<Deps>[], deps: Deps): Router {
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
