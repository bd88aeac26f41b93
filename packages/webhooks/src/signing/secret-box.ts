import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

const VERSION = 'v1';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** `SECRETS_KEY` is not usable, or a sealed text cannot be opened with it. The message holds neither key nor secret. */
export class SecretBoxError extends Error {
  override readonly name = 'SecretBoxError';
}

/** Encrypts what must not lie in Redis as plain text. Each text belongs to one tenant and opens for that tenant only. */
export interface SecretBox {
  /** Encrypts with the first key; two seals of the same text differ. */
  seal(text: string, tenant: string): string;
  /** The text again. Throws {@link SecretBoxError} for an unknown key, another tenant, or altered bytes. */
  open(sealed: string, tenant: string): string;
  /** Whether the first key sealed it; if not, seal it anew on the next write, so that old keys can go. */
  isCurrent(sealed: string): boolean;
  /** Whether there are older keys, under which something may still lie. */
  readonly hasOlderKeys: boolean;
}

interface Key {
  readonly id: string;
  readonly bytes: Buffer;
}

/**
 * AES-256-GCM under `SECRETS_KEY`: base64 of 32 bytes, or several of them separated by commas, newest first. The first
 * seals, all of them open, so a key is rotated by putting a new one in front. A key's id is taken from its own hash: no
 * one has to name keys, and an id can never point at the wrong one.
 */
export function createSecretBox(secretsKey: string): SecretBox {
  const keys = parseKeys(secretsKey);
  const [current] = keys;

  return {
    seal(text, tenant) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', current.bytes, nonce).setAAD(associated(current.id, tenant));
      const bytes = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return `${VERSION}.${current.id}.${bytes.toString('base64url')}`;
    },

    open(sealed, tenant) {
      const { keyId, bytes } = parseSealed(sealed);
      const key = keys.find(({ id }) => id === keyId);
      if (key === undefined) throw new SecretBoxError(`SECRETS_KEY no longer holds key ${keyId}, which sealed this secret`);
      const decipher = createDecipheriv('aes-256-gcm', key.bytes, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
        .setAAD(associated(key.id, tenant))
        .setAuthTag(bytes.subarray(-TAG_BYTES));
      try {
        return decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
      } catch (cause) {
        throw new SecretBoxError('the sealed secret was altered, or belongs to another tenant', { cause });
      }
    },

    hasOlderKeys: keys.length > 1,

    isCurrent: (sealed) => parseSealed(sealed).keyId === current.id,
  };
}

function parseKeys(secretsKey: string): [Key, ...Key[]] {
  const [first, ...rest] = secretsKey
    .split(',')
    .map((text, index, all) => parseKey(text.trim(), `key ${index + 1} of ${all.length}`));
  if (first === undefined) throw new SecretBoxError('SECRETS_KEY is empty');
  const repeated = rest.find((key, index) => [first, ...rest.slice(0, index)].some(({ id }) => id === key.id));
  if (repeated !== undefined) throw new SecretBoxError(`SECRETS_KEY holds key ${repeated.id} twice`);
  return [first, ...rest];
}

function parseKey(text: string, which: string): Key {
  if (text === '') throw new SecretBoxError(`SECRETS_KEY: ${which} is empty`);
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) throw new SecretBoxError(`SECRETS_KEY: ${which} is not base64`);
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== KEY_BYTES)
    throw new SecretBoxError(`SECRETS_KEY: ${which} has ${bytes.length} bytes; ${KEY_BYTES} are needed`);
  return { id: createHash('sha256').update('secret-box key id').update(bytes).digest('hex').slice(0, 8), bytes };
}

function parseSealed(sealed: string): { keyId: string; bytes: Buffer } {
  const match = /^v1\.([0-9a-f]{8})\.([A-Za-z0-9_-]+)$/.exec(sealed);
  const [, keyId, text] = match ?? [];
  if (keyId === undefined || text === undefined) throw new SecretBoxError('this is not a sealed secret');
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length < NONCE_BYTES + TAG_BYTES) throw new SecretBoxError('the sealed secret is cut short');
  return { keyId, bytes };
}

const associated = (keyId: string, tenant: string): Buffer => Buffer.from(`${VERSION}.${keyId}.${tenant}`);
