/** Kind of the operation that looks in the bucket for what held jobs may have brought. */
export const LOOK_FOR_RESULTS = 'look-for-results';
