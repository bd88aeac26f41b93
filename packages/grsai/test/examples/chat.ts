import { CompletionAssembler, Grsai } from '@grsai-jobs/grsai';

const grsai = new Grsai({ apiKey: process.env['GRSAI_API_KEY'] ?? '', baseUrls: process.env['GRSAI_BASE_URLS']?.split(',') });
const body = { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'Three ideas for a paper lighthouse' }] };

const completion = await grsai.chat.complete(body, { signal: AbortSignal.timeout(60_000) });
console.log(completion.choices[0]?.message.content);

const assembler = new CompletionAssembler();
for await (const chunk of grsai.chat.stream(body)) {
  process.stdout.write(String(chunk.choices[0]?.delta?.content ?? ''));
  assembler.add(chunk);
}
console.log(`\n${assembler.completion().choices[0]?.finish_reason}`);
await grsai.close();
