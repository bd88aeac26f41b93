import { Grsai, GrsaiError, type ImageTask } from '@grsai-jobs/grsai';

const grsai = new Grsai({ apiKey: process.env['GRSAI_API_KEY'] ?? '', baseUrls: process.env['GRSAI_BASE_URLS']?.split(',') });

async function submitOnce(task: ImageTask): Promise<string> {
  try {
    return `taken: ${(await grsai.images.submit(task)).base}`;
  } catch (error) {
    if (!(error instanceof GrsaiError)) throw error;
    if (error.code === 'invalid_request') return `correct it: ${error.message}`;
    if (error.needsKeyProbe && (await grsai.probeKey()) === 'refused') return 'nothing was made: the key is refused';
    if (error.outcome === 'unknown') return 'a task may exist and be paid for: do not send it again by yourself';
    // `not_sent` or `refused`: no task exists.
    return error.retryable ? `send it again in ${error.retryAfterMs ?? 2000} ms` : `give up: ${error.category}`;
  }
}

console.log(await submitOnce({ model: 'nano-banana-2', prompt: 'a paper lighthouse' }));
console.log(await submitOnce({ model: 'nano-banana-2', prompt: 'a paper lighthouse', aspectRatio: '1024x1024' }));
console.log(await submitOnce({ model: 'no-such-model', prompt: 'a paper lighthouse' }));
await grsai.close();
