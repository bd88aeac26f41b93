import { type Size, type SizeParser, turned } from './size-scan.ts';

/** A box of an ISO file: its type and the bytes of its content. */
interface Box {
  readonly type: string;
  readonly body: Buffer;
}

/** Walks the boxes of a file (ISO/IEC 14496-12 §4.2) as it passes by, up to one of these types; the answer is the length of its content. */
export function* boxUpTo(...types: readonly string[]): Generator<number, { type: string; length: number } | undefined, Buffer> {
  for (;;) {
    const head = yield 8;
    const type = head.toString('latin1', 4, 8);
    const short = head.readUInt32BE(0);
    const length = short === 1 ? Number((yield 8).readBigUInt64BE(0)) - 16 : short - 8;
    const open = short === 0;
    if (types.includes(type)) return { type, length: open ? Number.MAX_SAFE_INTEGER : length };
    if (open || length < 0) return undefined;
    yield -length;
  }
}

/** Files of cameras have some dozens of boxes in one, and one item for each tile of a picture. */
const MAX_BOXES = 1000;
const MAX_ITEMS = 10_000;

/** The boxes inside a content that is in memory. */
function* boxesIn(bytes: Buffer): Generator<Box> {
  for (let at = 0, left = MAX_BOXES; at + 8 <= bytes.length && left > 0; left -= 1) {
    const short = bytes.readUInt32BE(at);
    if (short < 8) return;
    yield { type: bytes.toString('latin1', at + 4, at + 8), body: bytes.subarray(at + 8, at + short) };
    at += short;
  }
}

const boxIn = (bytes: Buffer, type: string): Buffer =>
  [...boxesIn(bytes)].find((box) => box.type === type)?.body ?? Buffer.alloc(0);

/** HEIC, HEIF and AVIF: the size of the primary picture, which may be one of many tiles, thumbnails and layers (ISO/IEC 23008-12 §6). */
export function* heif(): SizeParser {
  const meta = yield* boxUpTo('meta');
  if (meta === undefined || meta.length < 4) return undefined;
  const body = (yield meta.length).subarray(4);
  const iprp = boxIn(body, 'iprp');
  const properties = [...boxesIn(boxIn(iprp, 'ipco'))];
  const item = primaryItem(boxIn(body, 'pitm'));
  const own = propertiesOf(item, boxIn(iprp, 'ipma')).flatMap((index) => properties[index - 1] ?? []);
  return own.some(({ type }) => type === 'ispe') ? sizeBy(own) : largest(properties);
}

const primaryItem = (pitm: Buffer): number | undefined => {
  if (pitm.length < 6) return undefined;
  return pitm[0] === 0 ? pitm.readUInt16BE(4) : pitm.readUInt32BE(4);
};

/** Which properties belong to an item, as their numbers from 1 (`ipma`). */
function propertiesOf(item: number | undefined, ipma: Buffer): number[] {
  if (item === undefined || ipma.length < 8) return [];
  const [wideIds, wideIndexes] = [ipma[0] !== 0, ((ipma[3] ?? 0) & 1) === 1];
  let at = 8;
  for (let left = Math.min(ipma.readUInt32BE(4), MAX_ITEMS); left > 0; left -= 1) {
    const id = wideIds ? ipma.readUInt32BE(at) : ipma.readUInt16BE(at);
    at += wideIds ? 4 : 2;
    const count = ipma.readUInt8(at);
    if (id === item)
      return Array.from({ length: count }, (_, n) =>
        wideIndexes ? ipma.readUInt16BE(at + 1 + 2 * n) & 0x7fff : ipma.readUInt8(at + 1 + n) & 0x7f,
      );
    at += 1 + count * (wideIndexes ? 2 : 1);
  }
  return [];
}

/** In their order: the size, a cut (`clap`), a turn by quarters (`irot`). */
function sizeBy(properties: readonly Box[]): Size | undefined {
  let size: Size | undefined;
  for (const { type, body } of properties) {
    if (type === 'ispe') size = { width: body.readUInt32BE(4), height: body.readUInt32BE(8) };
    else if (type === 'clap' && size !== undefined)
      size = {
        width: Math.round(body.readUInt32BE(0) / body.readUInt32BE(4)),
        height: Math.round(body.readUInt32BE(8) / body.readUInt32BE(12)),
      };
    else if (type === 'irot' && size !== undefined) size = turned(size.width, size.height, ((body[0] ?? 0) & 1) === 1 ? 6 : 1);
  }
  return size;
}

/** Of a file that does not say which picture is meant. */
const largest = (properties: readonly Box[]): Size | undefined =>
  properties
    .filter(({ type, body }) => type === 'ispe' && body.length >= 12)
    .map(({ body }) => ({ width: body.readUInt32BE(4), height: body.readUInt32BE(8) }))
    .sort((one, other) => other.width * other.height - one.width * one.height)[0];
