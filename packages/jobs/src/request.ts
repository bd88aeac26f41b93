import { z } from 'zod';
import { DEFAULT_EVENTS, JOB_EVENTS } from './events.ts';
import { LIMITS } from './limits.ts';
import { readPicture } from './picture-text.ts';
import { inlineBytes, isInline } from './pictures.ts';

/** The schemas of what callers send. Unknown fields are refused, so that a typo never costs money. */

const text = (max: number, what: string) =>
  z
    .string()
    .min(1, `${what} must not be empty`)
    // Nothing else is looked at in what is too long.
    .max(max, { error: `${what} is limited to ${max} characters`, abort: true });

export const httpUrl = z
  .string()
  .trim()
  .max(LIMITS.url, { error: `a URL is limited to ${LIMITS.url} characters`, abort: true })
  .refine((value) => /^https?:\/\//i.test(value) && URL.canParse(value), 'must be an http or https URL');

/** No name of a model has spaces or other scripts, and upstream repeats it in its refusals: free text there could say anything. */
export const modelName = text(LIMITS.model, 'model')
  .regex(/^[A-Za-z0-9._:/@-]*$/, 'model may have letters, digits and . _ : / @ - only, such as "nano-banana-2"')
  .meta({ example: 'nano-banana-2' });

/** A picture given to the upstream: a URL, a data URL or bare base64. Kept as {@link readPicture} writes it. */
const picture = z
  .string()
  .min(1, 'an image must not be empty')
  .check((sent) => {
    // Read once: it may be as long as a body.
    const read = readPicture(sent.value);
    if ('picture' in read) sent.value = read.picture;
    else if (sent.value !== '') sent.issues.push({ code: 'custom', input: sent.value, message: read.problem, continue: true });
  })
  .refine((value) => isInline(value) || value.length <= LIMITS.url, `an image URL is limited to ${LIMITS.url} characters`);

/** What is wrong with the inline ones of a request's pictures together. */
export function inlineProblems(pictures: readonly string[]): string[] {
  const inline = pictures.filter(isInline);
  const bytes = inline.reduce((sum, value) => sum + inlineBytes(value), 0);
  const megabytes = LIMITS.inlineImageBytes / 1024 / 1024;
  return [
    ...(inline.length > LIMITS.inlineImages ? [`at most ${LIMITS.inlineImages} inline images`] : []),
    ...(bytes > LIMITS.inlineImageBytes ? [`inline images are limited to ${megabytes} MiB together; send URLs instead`] : []),
  ];
}

/**
 * For `check`, not `superRefine`: that one leaves a function on each value that it has seen, which V8 allocates as old, so that
 * all requests stay in memory until a full collection.
 */
function checkInline(
  pictures: readonly string[],
  path: readonly string[],
  { issues }: Pick<z.core.ParsePayload, 'issues'>,
): void {
  for (const message of inlineProblems(pictures))
    issues.push({ code: 'custom', input: pictures, path: [...path], message, continue: true });
}

const ContentPart = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('text'),
    text: z.string(),
  }),
  z.strictObject({
    type: z.literal('image_url'),
    image_url: z.strictObject(
      { url: picture, detail: z.enum(['auto', 'low', 'high']).optional() },
      { error: ({ code }) => (code === 'invalid_type' ? 'must be an object such as {"url": "https://…"}' : undefined) },
    ),
  }),
]);

/** One of several kinds of values; `what` says what may be sent. */
const either = <const T extends readonly z.ZodType[]>(kinds: T, what: string) =>
  z.union(kinds, { error: ({ input }) => `${input === undefined ? 'is required and ' : ''}must be ${what}` });

const Content = either(
  [z.string(), z.array(ContentPart).min(1).max(LIMITS.parts)],
  'a text or a list of parts such as {"type": "text", "text": "…"}',
);

const Name = z.string().max(64).optional();

/** An assistant may have said nothing, as OpenAI writes it where a tool was called. */
const Message = z.discriminatedUnion('role', [
  z.strictObject({ role: z.enum(['system', 'developer', 'user']), content: Content, name: Name }),
  z.strictObject({ role: z.literal('assistant'), content: Content.default(''), name: Name }),
]);

/** Values of `reasoning_effort` that are known; upstream and its models keep extending them. */
export const REASONING_EFFORTS = ['minimal', 'low', 'medium', 'high'] as const;

/** A word of a list that upstream keeps extending: one that nobody here knows is passed on, if it can be meant at all. */
const openWord = (field: string, known: readonly string[]) =>
  z
    .string()
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/,
      `${field} must be a word of at most 32 letters, digits, ".", "_" and "-", such as "${known[0]}"`,
    )
    .describe(`${known.join(', ')}; another word is passed on, with a warning in the answer`)
    .meta({ example: known[0] });

/** The OpenAI chat-completions body (upstream.md §6.1). */
export const ChatInput = z
  .strictObject({
    model: modelName.meta({ example: 'gemini-3.1-pro' }),
    messages: z
      .array(Message)
      .min(1, 'messages must not be empty')
      .max(LIMITS.messages, `messages are limited to ${LIMITS.messages}`),
    stream: z.boolean().optional(),
    temperature: z.number().min(0).max(2).optional(),
    top_p: z.number().min(0).max(1).optional(),
    max_tokens: z.int().min(1).max(1_000_000).optional(),
    max_completion_tokens: z.int().min(1).max(1_000_000).optional(),
    presence_penalty: z.number().min(-2).max(2).optional(),
    frequency_penalty: z.number().min(-2).max(2).optional(),
    seed: z.int().optional(),
    stop: either(
      [z.string().max(512), z.array(z.string().max(512)).max(LIMITS.stop)],
      `a text or a list of at most ${LIMITS.stop} texts`,
    ).optional(),
    response_format: z.strictObject({ type: z.enum(['text', 'json_object']) }).optional(),
    reasoning_effort: openWord('reasoning_effort', REASONING_EFFORTS).optional(),
    user: z.string().max(256).optional(),
  })
  .check((checked) => {
    const pictures = checked.value.messages.flatMap((message) =>
      typeof message.content === 'string'
        ? []
        : message.content.flatMap((part) => (part.type === 'image_url' ? [part.image_url.url] : [])),
    );
    checkInline(pictures, ['messages'], checked);
  })
  .meta({ id: 'ChatInput' });

/** Upstream's image fields in snake_case (upstream.md §3.1). */
export const ImageInput = z
  .strictObject({
    model: modelName,
    prompt: text(LIMITS.prompt, 'prompt').meta({ example: 'a paper lighthouse on a foggy desk' }),
    images: z.array(picture).max(LIMITS.images).optional(),
    aspect_ratio: z.string().min(1).max(16).optional().meta({ example: '4:3' }),
    image_size: openWord('image_size', ['1K', '2K', '4K']).optional(),
    quality: openWord('quality', ['auto', 'low', 'medium', 'high', 'xhigh', 'max']).optional(),
    background: openWord('background', ['transparent']).optional(),
    mask: picture.optional(),
  })
  .check((checked) => {
    const { images = [], mask } = checked.value;
    checkInline([...images, ...(mask ? [mask] : [])], ['images'], checked);
  })
  .meta({ id: 'ImageInput' });

export const Metadata = z
  .record(
    z.string().min(1).max(LIMITS.metadataKey, `a metadata key is limited to ${LIMITS.metadataKey} characters`),
    z.string().max(LIMITS.metadataValue, `a metadata value is limited to ${LIMITS.metadataValue} characters`),
  )
  .refine((value) => Object.keys(value).length <= LIMITS.metadataPairs, `metadata is limited to ${LIMITS.metadataPairs} pairs`);

const Webhook = z.strictObject({
  url: httpUrl.meta({ example: 'https://caller.example/hooks' }),
  events: z
    .array(z.enum(JOB_EVENTS))
    .min(1)
    .max(JOB_EVENTS.length)
    .default([...DEFAULT_EVENTS]),
});

export const Priority = z.enum(['low', 'normal', 'high']);
export const ExpiresInS = z.int().min(LIMITS.expiresInS.min).max(LIMITS.expiresInS.max);

const common = {
  webhook: Webhook.optional(),
  metadata: Metadata.default({}),
  priority: Priority.default('normal'),
  expires_in_s: ExpiresInS.default(LIMITS.expiresInS.default),
  max_attempts: z.int().min(LIMITS.attempts.min).max(LIMITS.attempts.max).default(LIMITS.attempts.default),
  on_unknown_submit: z.enum(['fail', 'resubmit']).optional(),
  fallback_models: z
    .array(modelName)
    .min(1, 'name at least one model, or leave it out')
    .max(LIMITS.fallbackModels, `at most ${LIMITS.fallbackModels} models`)
    .refine((models) => new Set(models).size === models.length, 'each model once')
    .optional()
    .describe(
      'models that a run goes on with, one after another, when the one before takes no calls or its attempts are used up, as long as nothing is paid twice',
    )
    .meta({ example: ['nano-banana-pro'], uniqueItems: true }),
  output: z
    .strictObject({ url_ttl_s: z.int().min(LIMITS.urlTtlS.min).max(LIMITS.urlTtlS.max).default(LIMITS.urlTtlS.default) })
    .default({ url_ttl_s: LIMITS.urlTtlS.default }),
};

export const ChatJob = z.strictObject({ type: z.literal('chat'), input: ChatInput, ...common }).meta({ id: 'ChatJobRequest' });
export const ImageJob = z
  .strictObject({
    type: z.literal('image'),
    input: ImageInput,
    via: z.enum(['generate', 'generations']).default('generate'),
    resubmit_failed: z
      .enum(['auto', 'never', 'always'])
      .default('auto')
      .describe(
        'whether an image that failed upstream is made once more: auto, where its model gives the credits of failed work back',
      ),
    ...common,
  })
  .meta({ id: 'ImageJobRequest' });

/** The body of `POST /v1/jobs`. */
export const JobRequest = z.discriminatedUnion('type', [ChatJob, ImageJob]).meta({ id: 'JobRequest' });
export type JobRequest = z.output<typeof JobRequest>;
export type ChatInput = z.output<typeof ChatInput>;
export type ImageInput = z.output<typeof ImageInput>;
