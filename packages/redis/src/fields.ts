/** Fields of a Redis hash as a script or `HGETALL` answers them. */
export type Fields = Readonly<Record<string, string>>;

/** A flat `field, value, …` reply as an object; an empty reply means that there is no such hash. */
export function fieldsOf(reply: unknown): Fields | null {
  if (!Array.isArray(reply) || reply.length === 0) return null;
  const fields: Record<string, string> = {};
  for (let i = 0; i < reply.length; i += 2) fields[String(reply[i])] = String(reply[i + 1]);
  return fields;
}

export const number = (text: string | undefined): number => (text === undefined || text === '' ? 0 : Number(text));

export const optionalNumber = (text: string | undefined): number | null =>
  text === undefined || text === '' ? null : Number(text);

/** A JSON text that we wrote ourselves; the type is ours to know. */
export const json = <T>(text: string | undefined): T | null =>
  text === undefined || text === '' ? null : (JSON.parse(text) as T);
