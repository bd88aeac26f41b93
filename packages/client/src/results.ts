import type { ImageResult, JobResult, ResultImage } from './types.ts';

/** The states in which a job has ended. */
export const ENDED: ReadonlySet<string> = new Set(['succeeded', 'failed', 'canceled', 'expired']);
/** The same of a batch. */
export const BATCH_ENDED: ReadonlySet<string> = new Set(['completed', 'canceled', 'expired']);

/** The images of an image job, or of a line of results; empty where there are none. */
export function imagesOf({ result }: { result?: JobResult | null }): ResultImage[] {
  return result && 'images' in result ? (result as ImageResult).images : [];
}

/** The text that a chat job answered, of a list of parts those that are text; undefined where there is none, or where it is in a file (`ChatFile`). */
export function textOf({ result }: { result?: JobResult | null }): string | undefined {
  if (!result || !('choices' in result)) return undefined;
  const [choice] = result.choices as ({ message?: { content?: unknown } | null } | null)[];
  const content = choice?.message?.content;
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return undefined;
  const texts = content.map((part: { text?: unknown } | null) => part?.text).filter((text) => typeof text === 'string');
  return texts.length > 0 ? texts.join('') : undefined;
}

const EXTENSIONS: Readonly<Record<string, string>> = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/webp': 'webp',
  'image/gif': 'gif',
  'image/avif': 'avif',
  'image/heic': 'heic',
  'image/heif': 'heif',
  'image/jxl': 'jxl',
  'image/svg+xml': 'svg',
  'image/bmp': 'bmp',
  'image/tiff': 'tif',
  'video/mp4': 'mp4',
  'video/quicktime': 'mov',
  'video/webm': 'webm',
};

/** How the name of such a file ends, without a dot: models differ in what they make. `bin` for what is not known. */
export const extensionOf = ({ content_type }: { content_type: string }): string => EXTENSIONS[content_type] ?? 'bin';
