import { constants, createBrotliCompress, createDeflate, createDeflateRaw, createGzip, createZstdCompress } from 'node:zlib';

type Encoder = ReturnType<typeof createGzip> | ReturnType<typeof createBrotliCompress> | ReturnType<typeof createZstdCompress>;

interface Row {
  /** What `content-encoding` says. */
  readonly header: string;
  /** In the order in which they are put on; none: the header lies. */
  readonly encoders: readonly (() => Encoder)[];
  /** The end is missing. */
  readonly cut?: boolean;
}

/** As a stage of streams would be flushed, so that each event can be read when it comes. */
const FLUSH = {
  zlib: { flush: constants.Z_SYNC_FLUSH },
  brotli: { flush: constants.BROTLI_OPERATION_FLUSH, params: { [constants.BROTLI_PARAM_QUALITY]: 4 } },
  zstd: { flush: constants.ZSTD_e_flush },
} as const;

const gzip = (): Encoder => createGzip(FLUSH.zlib);
const brotli = (): Encoder => createBrotliCompress(FLUSH.brotli);

/** Content codings of an answer. They come whether the client asked for them or not, as a front proxy may have it. */
export const CODINGS = {
  gzip: { header: 'gzip', encoders: [gzip] },
  'x-gzip': { header: 'x-gzip', encoders: [gzip] },
  deflate: { header: 'deflate', encoders: [() => createDeflate(FLUSH.zlib)] },
  /** Without the zlib frame, as some servers take the word. */
  'deflate-raw': { header: 'deflate', encoders: [() => createDeflateRaw(FLUSH.zlib)] },
  br: { header: 'br', encoders: [brotli] },
  zstd: { header: 'zstd', encoders: [() => createZstdCompress(FLUSH.zstd)] },
  twice: { header: 'gzip, br', encoders: [gzip, brotli] },
  liar: { header: 'gzip', encoders: [] },
  cut: { header: 'gzip', encoders: [gzip], cut: true },
} as const satisfies Readonly<Record<string, Row>>;

export type Coding = keyof typeof CODINGS;

export const isCoding = (name: string): name is Coding => Object.hasOwn(CODINGS, name);

/** One encoder of a chain: takes a piece, gives what can be read of it at once. */
class Stage {
  readonly #encoder: Encoder;
  #out: Buffer[] = [];

  constructor(encoder: Encoder) {
    this.#encoder = encoder;
    encoder.on('data', (piece: Buffer) => this.#out.push(piece));
  }

  async put(piece: Buffer): Promise<Buffer> {
    await new Promise<void>((resolve, reject) => {
      this.#encoder.write(piece, (error) => (error ? reject(error) : resolve()));
    });
    return this.#take();
  }

  async end(): Promise<Buffer> {
    await new Promise<void>((resolve, reject) => {
      this.#encoder.once('end', resolve).once('error', reject);
      this.#encoder.end();
    });
    return this.#take();
  }

  #take(): Buffer {
    const out = Buffer.concat(this.#out);
    this.#out = [];
    return out;
  }
}

/** Packs one answer piece by piece; each piece can be unpacked as soon as it has come. */
export class Coder {
  readonly header: string;
  readonly #stages: readonly Stage[];
  readonly #cut: boolean;

  constructor(coding: Coding) {
    const row: Row = CODINGS[coding];
    this.header = row.header;
    this.#stages = row.encoders.map((make) => new Stage(make()));
    this.#cut = row.cut === true;
  }

  async piece(bytes: Buffer): Promise<Buffer> {
    let out = bytes;
    for (const stage of this.#stages) out = await stage.put(out);
    return out;
  }

  /** What is left, and the ends of all stages. */
  async end(): Promise<Buffer> {
    let rest = Buffer.alloc(0);
    for (const stage of this.#stages) {
      const before = rest.length === 0 ? rest : await stage.put(rest);
      rest = Buffer.concat([before, await stage.end()]);
    }
    return this.#cut ? Buffer.alloc(0) : rest;
  }

  /** A whole body. */
  async whole(bytes: Buffer): Promise<Buffer> {
    const out = Buffer.concat([await this.piece(bytes), await this.end()]);
    return this.#cut ? out.subarray(0, out.length - Math.ceil(out.length / 4)) : out;
  }
}
