/** A task id and the links of its outputs die two hours after the submit (upstream.md §10.1). */
export const TASK_LIFE_MS = 2 * 3600 * 1000;
