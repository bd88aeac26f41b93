import type { DepsOf, Served } from '../../http/route.ts';
import { createFileBatch } from './batch-create.ts';
import { cancelFileBatch, listFileBatches, readFileBatch } from './batches.ts';
import { createChatCompletion } from './chat-completions.ts';
import { createFile, deleteFile, listFiles, readFile, readFileContent } from './files.ts';
import { createImages, editImages } from './images.ts';
import { listModels, readModel } from './models.ts';

/** The routes that clients of OpenAI ask for. OpenAI's own document describes them; docs/openai.md says what is the same here. */
const all = [
  ...[createChatCompletion, createImages, editImages, listModels, readModel],
  ...[createFile, listFiles, readFile, readFileContent, deleteFile],
  ...[createFileBatch, listFileBatches, readFileBatch, cancelFileBatch],
] as const;

export type OpenAiDeps = DepsOf<typeof all>;

export const OPENAI_ROUTES: readonly Served<OpenAiDeps>[] = all;
