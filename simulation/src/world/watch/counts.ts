/** Numbers by name, without those that are 0. */
export class Counts {
  readonly of = new Map<string, number>();

  add(name: string, by: number): void {
    const sum = this.get(name) + by;
    if (sum === 0) this.of.delete(name);
    else this.of.set(name, sum);
  }

  get(name: string): number {
    return this.of.get(name) ?? 0;
  }
}
