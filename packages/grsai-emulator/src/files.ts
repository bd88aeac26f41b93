import type { Carrier } from './fault-plan.ts';
import { CONTENT_TYPES, type Rendered, type Rendering, render } from './picture/render.ts';

/** A result file: a recipe, not bytes. */
export interface ResultFile extends Carrier {
  /** `<32 hex>.<ext>`; the extension may lie about the content (upstream.md §10.1). */
  readonly name: string;
  readonly rendering: Rendering;
  /** First moment it can be read, since its task may be made to end early or late. */
  readonly bornAt: () => number;
  readonly diesAt: number;
  /** Without content-length. */
  readonly lengthless: boolean;
  downloads: number;
}

/** All result files by name. */
export class FileStore {
  readonly #files = new Map<string, ResultFile>();

  add(file: ResultFile): void {
    this.#files.set(file.name, file);
  }

  /** The file, when it can be read at `now`. */
  find(name: string, now: number): ResultFile | undefined {
    const file = this.#files.get(name);
    return file !== undefined && now >= file.bornAt() && now < file.diesAt ? file : undefined;
  }

  /** Whole and broken-off downloads of one file. */
  downloadsOf(name: string): number {
    return this.#files.get(name)?.downloads ?? 0;
  }

  reset(): void {
    this.#files.clear();
  }
}

/** The bytes of a file and what they are. */
export function contentOf(file: ResultFile): Rendered & { readonly type: string } {
  return { ...render(file.rendering), type: CONTENT_TYPES[file.rendering.format] };
}
