import { NotModelled } from './errors.ts';

const FROM = -(2n ** 63n);
const TO = 2n ** 63n - 1n;

const ZERO = 48;

/** Up to 15 digits and nothing else, which is what most numbers are; else -1. */
export function plainDigits(text: string): number {
  const { length } = text;
  if (length === 0 || length > 15) return -1;
  let value = 0;
  for (let i = 0; i < length; i++) {
    const digit = text.charCodeAt(i) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** As Redis reads a 64-bit integer: `null` when it is none. Those that JavaScript cannot hold exactly are not modelled. */
export function readInteger(text: string): number | null {
  const plain = plainDigits(text);
  if (plain !== -1) return text.charCodeAt(0) === ZERO && text.length > 1 ? null : plain;
  if (!/^(?:0|-?[1-9]\d{0,19})$/.test(text)) return null;
  const number = Number(text);
  if (Number.isSafeInteger(number)) return number;
  const exact = BigInt(text);
  if (exact < FROM || exact > TO) return null;
  throw new NotModelled(`integers beyond 2^53, such as ${text}`);
}

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const HEX = /^([+-]?)0x([0-9a-f]+)$/i;
const INFINITE = /^([+-]?)inf(?:inity)?$/i;

/** As strtod reads a whole text; `null` when it is no number, or NaN. */
export function readDouble(text: string): number | null {
  const plain = plainDigits(text);
  if (plain !== -1) return plain;
  if (DECIMAL.test(text)) return Number(text);
  const infinite = INFINITE.exec(text);
  if (infinite !== null) return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const hex = HEX.exec(text);
  if (hex !== null) return (hex[1] === '-' ? -1 : 1) * Number.parseInt(hex[2] ?? '', 16);
  return null;
}

/** Whether JavaScript writes it as printf does: its last binary place is no further behind the point than 1/1024, so all its digits are written. */
const isShort = (value: number, precision: number): boolean =>
  precision > 13 && Number.isSafeInteger(value * 1024) && Math.abs(value) < 1000 && Math.abs(value) >= 1;

/** As printf writes with `%.<precision>g`. */
export function formatG(value: number, precision: number): string {
  // The common case, and the same digits. No safe integer has more than 16.
  if (Number.isSafeInteger(value) && (precision > 15 || Math.abs(value) < 10 ** precision) && !Object.is(value, -0))
    return String(value);
  if (isShort(value, precision)) return String(value);
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (value === 0) return '-0';
  const [digits = '', exponent = '0'] = exponential(value, precision - 1).split('e');
  const power = Number(exponent);
  if (power < -4 || power >= precision) {
    const sign = power < 0 ? '-' : '+';
    return `${trimZeros(digits)}e${sign}${String(Math.abs(power)).padStart(2, '0')}`;
  }
  return trimZeros(formatFixed(value, precision - 1 - power));
}

/** Of two that are equally near printf takes the even one, JavaScript the larger. So many digits more tell whether there are two. */
const TELLING = 40;
const TIE = /^50*$/;
const EVEN_END = /[02468](?:e.*)?$/;

function exponential(value: number, digits: number): string {
  const [longer = '', exponent = ''] = value.toExponential(Math.min(100, digits + TELLING)).split('e');
  const cut = longer.length - (Math.min(100, digits + TELLING) - digits);
  const below = `${longer.slice(0, digits === 0 ? cut - 1 : cut)}e${exponent}`;
  return TIE.test(longer.slice(cut)) && EVEN_END.test(below) ? below : value.toExponential(digits);
}

/** As printf writes with `%.<digits>f`, below 1e21. */
export function formatFixed(value: number, digits: number): string {
  const longer = value.toFixed(Math.min(100, digits + TELLING));
  const cut = longer.length - (Math.min(100, digits + TELLING) - digits);
  const below = longer.slice(0, digits === 0 ? cut - 1 : cut);
  return TIE.test(longer.slice(cut)) && EVEN_END.test(below) ? below : value.toFixed(digits);
}

const trimZeros = (digits: string): string => (digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits);

/** A score as Redis 7.0 answers it. */
export const formatScore = (score: number): string => formatG(score, 17);
