/** Of all keys in the simulated Redis. */
export const PREFIX = 'gj';
