import { fileURLToPath } from 'node:url';

/** The repository. */
export const root = new URL('../../', import.meta.url);

/** The repository as a path, for working directories. */
export const rootPath = fileURLToPath(root);
