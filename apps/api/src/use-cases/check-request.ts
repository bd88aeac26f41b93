import { validateImageTask } from '@grsai-jobs/grsai/models';
import { type ImageInput, isUntyped, type JobRequest } from '@grsai-jobs/jobs';
import type { Egress } from '@grsai-jobs/webhooks';
import type { FieldError } from '../http/problem.ts';

/** A webhook to an address that no delivery would be let out to is told at once (design §5). */
export function webhookProblems(egress: Egress, request: JobRequest): FieldError[] {
  const problem = request.webhook ? egress.checkUrl(request.webhook.url) : undefined;
  return problem ? [{ pointer: '/webhook/url', message: problem.message }] : [];
}

/** Our names of upstream's fields (grsai-api §3.1). */
const POINTERS: Readonly<Record<string, string>> = { aspectRatio: 'aspect_ratio', imageSize: 'image_size' };

/** `images[2]` → `/input/images/2`. */
const pointerOf = (field: string): string => {
  const name = field.replace(/\[.*$/, '');
  const index = /\[(\d+)\]/.exec(field)?.[1];
  return `/input/${POINTERS[name] ?? name}${index === undefined ? '' : `/${index}`}`;
};

/** Fields that `/v1/images/generations` does not have (grsai-api §6.2); it would drop them without a word. */
const NOT_BY_GENERATIONS = ['image_size', 'quality', 'background', 'mask'] as const satisfies readonly (keyof ImageInput)[];

/** A picture without a type gets its own when its bytes are looked at; here any does. */
const typed = (picture: string): string => (isUntyped(picture) ? 'data:image/png;base64,' : picture);

/** What the model table knows to be wrong costs no money: it is refused here. Models that it does not know pass. */
export function imageProblems(request: JobRequest): FieldError[] {
  if (request.type !== 'image') return [];
  const { input, via } = request;
  const unknown = via === 'generations' ? NOT_BY_GENERATIONS.filter((field) => input[field] !== undefined) : [];
  const { aspect_ratio: aspectRatio, image_size: imageSize, images, ...rest } = input;
  const task = {
    ...rest,
    ...(images === undefined ? {} : { images: images.map(typed) }),
    ...(aspectRatio === undefined ? {} : { aspectRatio }),
    ...(imageSize === undefined ? {} : { imageSize }),
  };
  return [
    ...unknown.map((field) => ({
      pointer: `/input/${field}`,
      message: 'is not taken by via "generations"; leave it out or use via "generate"',
    })),
    ...validateImageTask(task).map(({ field, message }) => ({ pointer: pointerOf(field), message })),
  ];
}
