import manifest from '../package.json' with { type: 'json' };

/** The version of the service: all parts have the same. */
export const VERSION: string = manifest.version;
