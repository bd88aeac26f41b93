import OpenAI from 'openai';

/** The SDK of OpenAI, with another address. Its retries make no second job: what was paid for is handed over. */

const api = process.env['GRSAI_JOBS_API'] ?? 'http://127.0.0.1:8080';
const openai = new OpenAI({ baseURL: `${api}/openai/v1`, apiKey: process.env['GRSAI_JOBS_KEY'] ?? '' });
const completion = await openai.chat.completions.create({
  model: 'gemini-3.1-pro',
  messages: [{ role: 'user', content: 'Say hello' }],
});
console.log(completion.choices[0]?.message.content);
