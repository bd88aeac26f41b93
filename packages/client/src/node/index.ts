/** Files, where there are some: Node, Bun and Deno. */
export { batchFile } from './batch-file.ts';
export { type Downloaded, download, type StoredFile } from './download.ts';
