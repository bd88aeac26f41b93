/** A package that is made for others. */
export interface Public {
  /** Without the scope. */
  readonly name: string;
  readonly dir: string;
  /** Others of ours that it is installed with, as long as no registry has them. */
  readonly needs: readonly string[];
  /** A program has no types. */
  readonly types: boolean;
}

export const PUBLIC: readonly Public[] = [
  { name: 'grsai', dir: 'packages/grsai', needs: [], types: true },
  { name: 'client', dir: 'packages/client', needs: [], types: true },
  { name: 'cli', dir: 'apps/cli', needs: ['client'], types: false },
];
