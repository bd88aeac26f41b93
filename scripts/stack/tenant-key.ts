import { readFileSync, writeFileSync } from 'node:fs';

/** Scopes of somebody who sends jobs and receives their webhooks. */
const SCOPES = ['jobs:read', 'jobs:write', 'webhooks:write'];

/** Makes an API key of a tenant with the admin key. */
export async function makeTenantKey(api: string, adminKey: string, tenant: string): Promise<string> {
  const answer = await fetch(`${api}/admin/v1/keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ tenant, name: `made by npm for ${tenant}`, scopes: SCOPES }),
  });
  if (!answer.ok) throw new Error(`the API made no key: ${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { key: string }).key;
}

/** The tenant key kept in `file` as long as the API still knows it, else a new one. */
export async function keptTenantKey(file: string, api: string, adminKey: string, tenant: string): Promise<string> {
  const kept = read(file);
  if (kept !== undefined && (await isKnown(api, kept))) return kept;
  const key = await makeTenantKey(api, adminKey, tenant);
  writeFileSync(file, `${key}\n`, { mode: 0o600 });
  return key;
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}

// A job that does not exist: 404 for a key that is known, 401 for another.
async function isKnown(api: string, key: string): Promise<boolean> {
  const answer = await fetch(`${api}/v1/jobs/job_00000000000000000000000000`, { headers: { authorization: `Bearer ${key}` } });
  await answer.body?.cancel();
  return answer.status === 404;
}
