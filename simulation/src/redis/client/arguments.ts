import { fromBuffer, toBytes } from '../bytes.ts';

/** Arguments as ioredis sends them: lists and the fields of objects one after another, numbers in digits, nothing as ''. */
export function flatArguments(args: readonly unknown[], into: string[] = []): string[] {
  for (const arg of args) {
    if (typeof arg === 'string') into.push(toBytes(arg));
    else if (arg === null || arg === undefined) into.push('');
    else if (Array.isArray(arg)) flatArguments(arg, into);
    else if (arg instanceof Uint8Array) into.push(fromBuffer(arg));
    else if (arg instanceof Map) flatArguments([...arg].flat(), into);
    else if (typeof arg === 'object') flatArguments(Object.entries(arg).flat(), into);
    else into.push(toBytes(String(arg)));
  }
  return into;
}
