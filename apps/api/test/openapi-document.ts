import { readFileSync } from 'node:fs';

interface Media {
  example?: unknown;
  examples?: Record<string, { value?: unknown }>;
}

interface Operation {
  operationId: string;
  security?: object[];
  requestBody?: { content: Record<string, Media> };
}

/** One operation of openapi.json, which a test holds against the code. */
export interface Documented {
  /** As in `GET /v1/jobs/{id}`. */
  name: string;
  method: string;
  path: string;
  operationId: string;
  /** Whether it asks for a key. */
  needsKey: boolean;
  /** The first body that the document shows. */
  body?: { type: string; text: string };
}

function firstBody({ requestBody }: Operation): Documented['body'] {
  const [type, media] = Object.entries(requestBody?.content ?? {})[0] ?? [];
  if (type === undefined || media === undefined) return undefined;
  const value = media.example ?? Object.values(media.examples ?? {})[0]?.value;
  return { type, text: typeof value === 'string' ? value : JSON.stringify(value) };
}

/** Every operation of the document, in its order. */
export function documented(): Documented[] {
  const text = readFileSync(new URL('../../../openapi.json', import.meta.url), 'utf8');
  const { paths } = JSON.parse(text) as { paths: Record<string, Record<string, Operation>> };
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => {
      const body = firstBody(operation);
      return {
        name: `${method.toUpperCase()} ${path}`,
        method: method.toUpperCase(),
        path,
        operationId: operation.operationId,
        needsKey: operation.security?.length !== 0,
        ...(body ? { body } : {}),
      };
    }),
  );
}
