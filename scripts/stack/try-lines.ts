/** What `npm start` prints to try it with. The first line sets all variables that the lines of README.md and docs/ use. */
export function tryLines({ api, key, adminKey }: { api: string; key: string; adminKey: string }): string[] {
  const body = JSON.stringify({
    type: 'image',
    input: { model: 'nano-banana-2', prompt: 'a paper lighthouse', aspect_ratio: '4:3' },
  });
  return [
    `export API=${api} KEY=${key} ADMIN="${adminKey}" GRSAI_JOBS_API=${api} GRSAI_JOBS_KEY=${key}`,
    `curl -s $API/v1/jobs -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' -d '${body}'`,
    'npm run -s jobs -- submit --chat "Say hello" --model gemini-3.1-pro --wait',
  ];
}
