import { defineGroup } from '../../command.ts';

export const batch = defineGroup('batch', 'Many jobs at once, from a file of NDJSON', []);
