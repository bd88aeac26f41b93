/** Shapes in which a key may stand in a text: vendor keys, a key in a query or a JSON body, a bearer header (upstream.md §2, §8). */
const SHAPES: readonly (readonly [RegExp, string])[] = [
  [/sk-[0-9a-f]{32}/gi, 'sk-***'],
  [/\bsk-[A-Za-z0-9_-]{4,}/g, 'sk-***'],
  [/(\bapi_?key=)[^&\s"'<>]+/gi, '$1***'],
  [/("api_?key"\s*:\s*")[^"]*/gi, '$1***'],
  [/(\bbearer\s+)[^\s"',}<>]+/gi, '$1***'],
];

/** The text without anything that looks like a key. Safe to print, log or keep. */
export function redact(text: string): string {
  let clean = text;
  for (const [shape, blank] of SHAPES) clean = clean.replace(shape, blank);
  return clean;
}

/** A function that blanks this very secret, whatever its shape, also where it stands URL-encoded. */
export function scrubber(secret: string): (text: string) => string {
  const forms = [...new Set([secret, encodeURIComponent(secret)])].filter((form) => form.length > 0);
  return (text) => {
    let clean = text;
    for (const form of forms) if (clean.includes(form)) clean = clean.replaceAll(form, '***');
    return clean;
  };
}
