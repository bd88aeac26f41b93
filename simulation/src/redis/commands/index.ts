import type { CommandSpec, Commands } from './command.ts';
import { HASHES } from './hashes.ts';
import { KEYS } from './keys.ts';
import { LISTS, SETS } from './lists-and-sets.ts';
import { SERVER } from './server.ts';
import { SORTED_SETS } from './sorted-sets.ts';
import { STREAMS } from './streams.ts';
import { STRINGS } from './strings.ts';

const ALL: Commands = { ...STRINGS, ...KEYS, ...HASHES, ...LISTS, ...SETS, ...SORTED_SETS, ...STREAMS, ...SERVER };

/** All commands that work on data, by name in capitals. Scripts, transactions and what concerns a connection are the server's. */
export const COMMANDS: ReadonlyMap<string, CommandSpec> = new Map(Object.entries(ALL));
