/** What a child process needs of the machine: its paths, and where Node keeps compiled code. Nothing that our programs read. */
export function machineEnvironment({
  PATH = '',
  HOME = '',
  TMPDIR = '/tmp',
  NODE_COMPILE_CACHE,
}: NodeJS.ProcessEnv): Record<string, string> {
  return { PATH, HOME, TMPDIR, ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }) };
}
