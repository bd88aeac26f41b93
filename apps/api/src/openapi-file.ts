import { writeFileSync } from 'node:fs';
import { VERSION } from '@grsai-jobs/runtime';
import { openApiDocument } from './http/openapi/document.ts';

/** Writes openapi.json (`pnpm openapi`); a test holds the file against the code. */
writeFileSync(new URL('../../../openapi.json', import.meta.url), `${JSON.stringify(openApiDocument(VERSION), null, 2)}\n`);
