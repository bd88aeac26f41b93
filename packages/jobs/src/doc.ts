import type { z } from 'zod';
import type { JobPrice } from './cost/price.ts';
import type { Picture, StoredInput } from './pictures.ts';
import type { ChatInput, ChatJob, ImageInput, ImageJob } from './request.ts';

type Message = ChatInput['messages'][number];
type Part = Exclude<Message['content'], string>[number];
type ImagePart = Extract<Part, { type: 'image_url' }>;

/** A part of a chat message as it is kept. */
export type KeptPart =
  | Exclude<Part, ImagePart>
  | (Omit<ImagePart, 'image_url'> & { image_url: Omit<ImagePart['image_url'], 'url'> & { url: Picture } });

export type KeptImageInput = Omit<ImageInput, 'images' | 'mask'> & {
  images?: Picture[] | undefined;
  mask?: Picture | undefined;
};

export type KeptChatInput = Omit<ChatInput, 'messages'> & {
  messages: (Omit<Message, 'content'> & { content: string | KeptPart[] })[];
};

/**
 * A request as accepted: defaults filled in, `on_unknown_submit` decided, large pictures in the object store. It is kept in the
 * record and never rewritten. With `stored_input` the whole input is in the object store, and `input` holds only what is needed to find
 * and to schedule the job.
 */
export type JobDoc = {
  on_unknown_submit: 'fail' | 'resubmit';
  stored_input?: StoredInput | undefined;
  /** What a call costs with each of its models, that of its input first, where it has `fallback_models`. */
  fallback_prices?: (JobPrice | null)[] | undefined;
  /** The model of its input as sent, where the job goes on with another by now. Never written: it follows from the record. */
  asked_model?: string | undefined;
  /** The API that it came by; left out for `/v1`. */
  origin?: 'openai' | undefined;
  /** How its images are shown in the output file of a batch of OpenAI's form. */
  images_as?: 'b64_json' | 'url' | undefined;
} & (
  | (Omit<z.output<typeof ChatJob>, 'input' | 'on_unknown_submit'> & { input: KeptChatInput })
  | (Omit<z.output<typeof ImageJob>, 'input' | 'on_unknown_submit'> & { input: KeptImageInput })
);

/** The queue entry that a queued job of this kind waits in. */
export const entryStage = (doc: Pick<JobDoc, 'type'> & { via?: string }): 'call' | 'submit' =>
  doc.type === 'chat' || doc.via === 'generations' ? 'call' : 'submit';
