import { writeFileSync } from 'node:fs';
import { VERSION } from '../apps/api/src/build.ts';
import { openApiDocument } from '../apps/api/src/http/openapi.ts';

/** Writes openapi.json; a test of the API holds the file against the code. */
writeFileSync(new URL('../openapi.json', import.meta.url), `${JSON.stringify(openApiDocument(VERSION), null, 2)}\n`);
