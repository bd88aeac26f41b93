/** What keys and secrets of ours and of upstream look like: API keys, webhook secrets, Grsai keys. */
const SECRET = /\b(?:(gj_|sk-)[A-Za-z0-9_-]{8,}|(whsec_)[A-Za-z0-9+/=]{8,})/g;

/** Puts `…` in the place of keys and secrets: those that are known by their form, and those that are named. */
export type BlankSecrets = (text: string) => string;

/**
 * A key that was pasted into a path or a field would otherwise stand in logs, and in answers that people paste into tickets.
 * @param named secrets of the configuration, which may look like anything
 */
export function createBlankSecrets(named: readonly (string | undefined)[] = []): BlankSecrets {
  const known = named
    .filter((each) => each !== undefined && each !== '')
    .flatMap((each) => [each ?? '', encodeURIComponent(each ?? '')]);
  const plain = (text: string): string =>
    known.reduce((rest, secret) => rest.replaceAll(secret, '…'), text).replaceAll(SECRET, '$1$2…');
  return (text) => {
    const blanked = plain(text);
    return blanked.replaceAll(/[^/?&=]+/g, (part) => (part.includes('%') ? hidden(part, plain) : part));
  };
}

/** A part whose percent-encoding hides a secret is shown decoded, without it. */
function hidden(part: string, plain: (text: string) => string): string {
  try {
    const decoded = decodeURIComponent(part);
    const blanked = plain(decoded);
    return blanked === decoded ? part : blanked;
  } catch {
    return part;
  }
}
