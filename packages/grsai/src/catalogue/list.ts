import { isFields } from '../json-values.ts';
import type { ListedModel } from '../models/index.ts';
import { readRow } from './row.ts';

/** Upstream's list of models, as far as it could be read. */
export interface ModelList {
  readonly models: readonly ListedModel[];
  /** Rows that name no model, or one that was listed before, and those beyond the limit. */
  readonly leftOut: number;
}

/** Upstream lists some 30; more than this only fills the memory. */
export const MOST_MODELS = 500;

/** What the list may stand under, from outside to inside. */
const UNDER = ['data', 'list', 'models', 'items', 'rows', 'records'];
const DEPTH = 3;

/** Reads whatever looks like a list of models; one row that cannot be read costs no other. */
export function readModelList(value: unknown): ModelList {
  const rows = rowsOf(value, DEPTH);
  const models = new Map<string, ListedModel>();
  for (const row of rows) {
    if (models.size === MOST_MODELS) break;
    const model = readRow(row);
    if (model !== undefined && !models.has(model.id)) models.set(model.id, model);
  }
  return { models: [...models.values()], leftOut: rows.length - models.size };
}

/** A list, or one below other fields; rows in an object stand by name, or in groups by type. */
function rowsOf(value: unknown, depth: number): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (!isFields(value) || depth === 0) return [];
  const inner = UNDER.map((name) => value[name]).find((each) => Array.isArray(each) || isFields(each));
  if (inner !== undefined) return rowsOf(inner, depth - 1);
  return Object.entries(value).flatMap(([name, each]): readonly unknown[] => {
    if (Array.isArray(each)) return each.map((row) => (isFields(row) ? { type: name, ...row } : row));
    return isFields(each) ? [{ modelId: name, ...each }] : [];
  });
}
