/** In pixels, as the picture is shown. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * Reads the size out of a file that comes in pieces: yields how many bytes it wants next (and is given just as many), or as a negative
 * number how many are of no interest. Returns nothing when the file does not say. May throw a RangeError for a broken one.
 */
export type SizeParser = Generator<number, Size | undefined, Buffer>;

/** The header of a picture stands within so many bytes, or is not looked for. */
export const SCAN_BYTES = 4 * 1024 * 1024;
/** The most that a parser may want at once: the index of a HEIC or AVIF file, with a colour profile in it. */
const TAKE_BYTES = 512 * 1024;
/** What a broken file can cost: each step is a few hundred nanoseconds. */
const STEPS = 5_000;

const NOTHING = Buffer.alloc(0);

/** Runs a parser over a file as it passes by. Holds no more than what the parser wants at the moment, never throws, and ends by itself. */
export class SizeScan {
  readonly #parser: SizeParser;
  #size: Size | undefined;
  #over = false;
  #want = 0;
  #parts: Buffer[] = [];
  #held = 0;
  #seen = 0;
  #steps = 0;

  constructor(parser: SizeParser) {
    this.#parser = parser;
    this.#resume(NOTHING);
  }

  /** What was found; nothing before its bytes have come by. */
  get size(): Size | undefined {
    return this.#size;
  }

  /** No further bytes are needed. */
  get over(): boolean {
    return this.#over;
  }

  feed(bytes: Uint8Array): void {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, SCAN_BYTES - this.#seen));
    let at = 0;
    while (!this.#over) {
      if (this.#want < 0) {
        const passed = Math.min(-this.#want, chunk.length - at);
        at += passed;
        this.#want += passed;
        if (this.#want < 0) break;
        this.#resume(NOTHING);
        continue;
      }
      const part = chunk.subarray(at, at + this.#want - this.#held);
      at += part.length;
      if (this.#held + part.length < this.#want) {
        // A copy: the chunk is somebody else's, and may be much larger.
        this.#parts.push(Buffer.from(part));
        this.#held += part.length;
        break;
      }
      // What a parser was given it may look at later, when the chunk is gone.
      const whole = Buffer.concat([...this.#parts, part]);
      this.#parts = [];
      this.#held = 0;
      this.#resume(whole);
    }
    this.#seen += chunk.length;
    if (this.#seen >= SCAN_BYTES) this.#end(undefined);
  }

  #resume(bytes: Buffer): void {
    try {
      const { done, value } = this.#parser.next(bytes);
      this.#steps += 1;
      if (done === true) this.#end(isSize(value) ? value : undefined);
      else if (value > TAKE_BYTES || this.#steps > STEPS || !Number.isSafeInteger(value)) this.#end(undefined);
      else this.#want = value;
    } catch {
      this.#end(undefined);
    }
  }

  #end(size: Size | undefined): void {
    this.#size ??= size;
    this.#over = true;
    this.#parts = [];
  }
}

const isSize = (size: Size | undefined): size is Size =>
  size !== undefined && [size.width, size.height].every((side) => Number.isSafeInteger(side) && side > 0);

/** Orientations 5 to 8 of EXIF turn a picture by a quarter. */
export const turned = (width: number, height: number, orientation: number): Size =>
  orientation >= 5 && orientation <= 8 ? { width: height, height: width } : { width, height };
