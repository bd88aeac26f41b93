/** A block of code of a README. */
export interface Block {
  readonly language: string;
  readonly code: string;
}

/** The blocks of a README that are programs: TypeScript and shell. */
export const blocksOf = (readme: string): Block[] =>
  [...readme.matchAll(/^```(ts|sh)\n(.*?)^```$/gms)].map(([, language = '', code = '']) => ({ language, code }));

/** Whether a program goes on until it is stopped: it answers requests. */
export const serves = ({ code }: Block): boolean => /\.listen\(|export default \{/.test(code);
