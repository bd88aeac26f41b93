import type { Mutation } from './mutation.ts';
import { OF_APPS } from './of-apps.ts';
import { OF_LUA } from './of-lua.ts';
import { OF_RULES } from './of-rules.ts';

/** In the order by which they are numbered. */
export const MUTATIONS: readonly Mutation[] = [...OF_LUA, ...OF_RULES, ...OF_APPS];
