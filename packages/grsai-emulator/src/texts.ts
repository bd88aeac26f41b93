import { AskError } from './ask-error.ts';

/**
 * Words in which upstream says no, by name. The English ones were seen; of the Chinese ones the kinds were seen
 * (overload, a model that is gone), the wording of the others is ours, as gateways of this sort put it.
 */
export const TEXTS = {
  busy: 'load is too high, please try again later',
  'busy-zh': '当前负载过高，请稍后再试',
  'busy-zh-2': '系统繁忙，负载已饱和，请稍后重试',
  'balance-zh': '余额不足，请充值',
  'balance-zh-2': '积分不足',
  'key-zh': 'apikey 错误',
  'key-zh-2': '无效的令牌',
  'policy-zh': '提示词包含违规内容，请修改后重试',
  'policy-zh-2': '内容审核未通过',
  'model-zh': '模型维护中',
  'model-zh-2': '该模型已下架，请使用其他模型',
  'model-zh-3': '模型不存在',
  'failed-zh': '生成失败',
  'input-zh': '参数错误',
  'rate-zh': '请求过于频繁，请稍后再试',
} as const satisfies Readonly<Record<string, string>>;

/** The text, or the one that `@name` stands for. Throws when there is none of that name. */
export function textOf(text: string): string {
  if (!text.startsWith('@')) return text;
  const name = text.slice(1);
  if (!Object.hasOwn(TEXTS, name)) throw new AskError(`no text is named ${text}; there are ${Object.keys(TEXTS).join(', ')}`);
  return TEXTS[name as keyof typeof TEXTS];
}

export const ECHOES = ['none', 'model', 'prompt', 'prompt-first', 'both'] as const;
export type Echo = (typeof ECHOES)[number];

/** A refusal that repeats what the caller sent, as gateways do: the words of the caller are not upstream's. */
export function echoed(text: string, echo: Echo, said: { readonly model: string; readonly prompt: string }): string {
  const forms: Readonly<Record<Echo, string>> = {
    none: text,
    model: `${text}: ${said.model}`,
    prompt: `${text}: ${said.prompt}`,
    'prompt-first': `"${said.prompt}": ${text}`,
    both: `${text}: ${said.model}: ${said.prompt}`,
  };
  return forms[echo];
}
