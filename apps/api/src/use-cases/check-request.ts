import type { Egress } from '@grsai-jobs/egress';
import { imageTaskWarnings, validateImageTask } from '@grsai-jobs/grsai/models';
import { type ImageInput, isUntyped, type JobRequest, REASONING_EFFORTS } from '@grsai-jobs/jobs';
import type { FieldError } from '../validation/validate.ts';

/** Refuses a webhook address to which the egress guard would let no delivery. */
export function webhookProblems(egress: Pick<Egress, 'checkUrl'>, request: JobRequest): FieldError[] {
  const problem = request.webhook ? egress.checkUrl(request.webhook.url) : undefined;
  return problem ? [{ pointer: '/webhook/url', message: problem.message }] : [];
}

/** Our names of upstream's fields (upstream.md §3.1). */
const POINTERS: Readonly<Record<string, string>> = { aspectRatio: 'aspect_ratio', imageSize: 'image_size' };

/** `images[2]` → `/input/images/2`. */
const pointerOf = (field: string): string => {
  const name = field.replace(/\[.*$/, '');
  const index = /\[(\d+)\]/.exec(field)?.[1];
  return `/input/${POINTERS[name] ?? name}${index === undefined ? '' : `/${index}`}`;
};

/** Fields that `/v1/images/generations` does not have (upstream.md §6.2); it would drop them without a word. */
const NOT_BY_GENERATIONS = ['image_size', 'quality', 'background', 'mask'] as const satisfies readonly (keyof ImageInput)[];

/** A picture without a type gets its own when its bytes are looked at; here any does. */
const typed = (picture: string): string => (isUntyped(picture) ? 'data:image/png;base64,' : picture);

/** The task that upstream would get, in its own words. */
function taskOf(input: ImageInput): object {
  const { aspect_ratio: aspectRatio, image_size: imageSize, images, ...rest } = input;
  return {
    ...rest,
    ...(images === undefined ? {} : { images: images.map(typed) }),
    ...(aspectRatio === undefined ? {} : { aspectRatio }),
    ...(imageSize === undefined ? {} : { imageSize }),
  };
}

/** What the model table knows to be wrong costs no money: it is refused here. Models that it does not know pass. */
export function imageProblems(request: JobRequest): FieldError[] {
  if (request.type !== 'image') return [];
  const { input, via } = request;
  const unknown = via === 'generations' ? NOT_BY_GENERATIONS.filter((field) => input[field] !== undefined) : [];
  const task = taskOf(input);
  return [
    ...unknown.map((field) => ({
      pointer: `/input/${field}`,
      message: 'is not taken by via "generations"; leave it out or use via "generate"',
    })),
    ...validateImageTask(task).map(({ field, message }) => ({ pointer: pointerOf(field), message })),
  ];
}

/** A model to fall back to is another one, and takes what is asked for. */
export function fallbackProblems(request: JobRequest): FieldError[] {
  return (request.fallback_models ?? []).flatMap((model, at) => {
    const pointer = `/fallback_models/${at}`;
    if (model === request.input.model) return [{ pointer, message: 'is the model of the input; name another one' }];
    if (request.type !== 'image') return [];
    const found = validateImageTask(taskOf({ ...request.input, model }));
    return found.map(({ field, message }) => ({ pointer, message: `${model}, ${pointerOf(field)}: ${message}` }));
  });
}

export const WARNING_CODES = ['unknown_value', 'model_closed', 'model_maintenance'] as const;
type WarningCode = (typeof WARNING_CODES)[number];

/** What was accepted though nobody here knows whether upstream takes it; `pointer` is a JSON pointer into the request. */
export interface RequestWarning {
  pointer: string;
  code: WarningCode;
  message: string;
}

const warn = (pointer: string, message: string): RequestWarning => ({ pointer, code: 'unknown_value', message });

/** What the caller of a valid request has to know; it decides nothing. */
export type WarningsOf = (request: JobRequest) => RequestWarning[];

/** Values of lists that upstream keeps extending, newer than ours or mistyped: they are passed on, and the answer says so. */
export function requestWarnings(request: JobRequest): RequestWarning[] {
  if (request.type === 'image')
    return imageTaskWarnings(taskOf(request.input)).map(({ field, message }) => warn(pointerOf(field), message));
  const { reasoning_effort: effort } = request.input;
  if (effort === undefined || REASONING_EFFORTS.some((known) => known === effort)) return [];
  const known = REASONING_EFFORTS.join(', ');
  return [warn('/input/reasoning_effort', `"${effort}" is not known; it is passed on as it is (known: ${known})`)];
}
