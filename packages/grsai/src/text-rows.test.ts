import { describe, expect, test } from 'vitest';
import { replyFrom } from '../test/support.ts';
import { type Category, classify, classifyText } from './classify.ts';
import { refusal } from './refusal.ts';

const TEXTS: Readonly<Partial<Record<Category, readonly string[]>>> = {
  auth: [
    'apikey error',
    'apikey is empty',
    'apikey not found',
    'API key not valid. Please pass a valid API key.',
    'Incorrect API key provided: sk-***',
    'invalid_api_key',
    'No API key provided',
    'Unauthorized',
    'Unauthenticated.',
    'Authentication failed',
    'PERMISSION_DENIED',
    'token is expired',
    'Your account has been suspended',
    'account suspended for policy violation',
    'This account is temporarily disabled',
    'Your organization has been disabled.',
    'account_deactivated',
    'The user is banned',
    'The API key has been revoked',
    'Consumer api_key:AIza123 has been suspended.',
    'apikey 错误',
    'ＡＰＩ　ＫＥＹ　ｅｒｒｏｒ',
    '无效的令牌',
    '该令牌已过期',
    '密钥错误',
    '密鑰無效',
    '未授权',
    '未經授權',
    '您没有权限访问',
    '账号已被封禁',
    '您的帳號因違規已被停用',
    '用户已被封禁',
    '账户已冻结，请联系客服',
  ],
  balance: [
    'apikey credits not enough',
    'insufficient credits',
    'insufficient_quota',
    'You exceeded your current quota, please check your plan and billing details.',
    'insufficient_user_quota',
    'Insufficient Balance',
    'not enough points',
    'out of credits',
    'Your credit balance is too low to access the API',
    'Billing hard limit has been reached',
    'billing_hard_limit_reached',
    'quota exhausted',
    'Resource has been exhausted (e.g. check quota).',
    'Please recharge first',
    'Payment Required',
    '余额不足，请充值',
    '餘額不足',
    '积分不足',
    '额度不足',
    '用户额度不足',
    '您的额度已用完',
    '账户已欠费',
    '欠費停機',
    '没有足够的余额',
  ],
  moderation: [
    'the prompt violates our rules',
    'blocked: content_policy',
    'content_policy_violation',
    'Prompt rejected',
    'input_moderation',
    'moderation_blocked',
    'IMAGE_SAFETY',
    'SAFETY',
    'finish_reason: safety',
    'PROHIBITED_CONTENT',
    'blockReason: BLOCKLIST',
    'RECITATION',
    'Your request was rejected as a result of our safety system.',
    'Your request was rejected by the safety system',
    'filtered by Responsible AI practices',
    'ResponsibleAIPolicyViolation',
    'Your prompt was flagged',
    'Your request was flagged as potentially sensitive',
    'NSFW content detected',
    'contains sensitive words',
    'sensitive_words_detected',
    'Inappropriate content',
    'the image was blocked by content moderation',
    'This content may violate our usage policies',
    'against our community guidelines',
    '提示词包含违规内容，请修改后重试',
    '內容違規',
    '包含敏感词',
    '内容审核未通过',
    '內容審核不通過',
    '涉嫌色情',
    '图片涉及侵权',
    '不符合安全政策',
  ],
  model: [
    'model not found',
    'Model not support',
    'model maintenance',
    'The model `gpt-9` does not exist or you do not have access to it.',
    'models/gemini-9 is not found for API version v1beta',
    'model_not_found',
    'unsupported model',
    'no such model',
    'The model gpt-4 has been deprecated',
    'No available channel for model x under group default',
    '模型不存在',
    '模型維護中',
    '该模型已下架，请使用其他模型',
    '暂不支持该模型',
    '当前分组 default 下对于模型 x 无可用渠道',
    '维护中',
  ],
  input: [
    'Invalid input parameters',
    'The image format is incorrect, please check',
    'aspectRatio must be portrait, landscape or square',
    'unexpected end of JSON input',
    'Invalid argument: size',
    'prompt is required',
    'image too large',
    'unsupported image format',
    'context_length_exceeded',
    'timeout must be between 1 and 600',
    '参数错误',
    '參數不正確',
    '图片格式不支持',
    '提示词过长',
    '提示词不能为空',
    '不支持的图片尺寸',
  ],
  transient: [
    'load is too high',
    'load is too high, please try again later',
    'The model is overloaded. Please try again later.',
    'overloaded_error',
    'Server is busy',
    'Your request was flagged as high load',
    'Selected model is at capacity',
    'Upstream rate limit exceeded. Please retry later.',
    'rate_limit_exceeded',
    'Too Many Requests',
    'Quota exceeded for quota metric, limit 10 requests per minute',
    'google gemini timeout, please try again later',
    'the request timed out',
    'time out',
    'Upstream service is temporarily unavailable. Please retry later.',
    'internal server error',
    'content moderation service timeout',
    'system maintenance',
    '当前负载过高，请稍后再试',
    '負載過高',
    '系统繁忙，负载已饱和，请稍后重试',
    '請求過於頻繁',
    '触发限流',
    '请求频率过快',
    '请求超时',
    '请稍後再試',
    '系统维护中',
  ],
  failed: [
    'generate failed',
    'generate image failed',
    'generation failed',
    'API error response',
    'Failed to generate image',
    '生成失败',
    '任務失敗',
    '绘图失败',
  ],
  unknown: [
    'something nobody has seen',
    '',
    '???',
    'ok',
    '成功',
    'the key to a good picture',
    'a protocol violation',
    'use a case-sensitive name',
    'credit to the artist',
    '提交成功',
  ],
};

const ROWS = Object.entries(TEXTS).flatMap(([category, texts]) => texts.map((text) => [text, category] as const));

test.each(ROWS)('the text %j is of class %s', (text, category) => {
  expect(classify({ text }).category).toBe(category);
  expect(classify({ status: 400, text: `${text}.` }).category).toBe(category);
});

test.each(['load is too high', '当前负载过高，请稍后再试', 'The model is overloaded', '系統繁忙'])(
  'the text %j says that upstream is busy, and how long to wait',
  (text) => {
    expect(classifyText(text)).toMatchObject({ busy: true, waitMs: 15_000 });
  },
);

test.each([
  'Your request was flagged as high load',
  'Your request was flagged for too many requests',
  'your input was rejected: queue full',
  'access violation in the rate limit',
  'time out of the safety margin',
  '审核服务超时',
])('the text %j is not the fault of a prompt', (text) => {
  expect(classifyText(text).category).not.toBe('moderation');
});

describe('codes beside the text', () => {
  test.each<[number, unknown, Category]>([
    [400, { error: { message: 'Bad.', type: 'image_generation_user_error', code: 'moderation_blocked' } }, 'moderation'],
    [400, { error: { message: 'Bad.', code: 'content_policy_violation', type: 'invalid_request_error' } }, 'moderation'],
    [429, { error: { message: 'Slow down', type: 'insufficient_quota', code: 'insufficient_quota' } }, 'balance'],
    [429, { error: { message: 'Slow down', code: 'rate_limit_exceeded' } }, 'rate_limited'],
    [403, { error: { message: 'No.', code: 'insufficient_user_quota' } }, 'balance'],
    [400, { error: { code: 400, message: 'No.', status: 'INVALID_ARGUMENT', details: [{ reason: 'API_KEY_INVALID' }] } }, 'auth'],
    [403, { error: { code: 403, message: 'Nope', status: 'PERMISSION_DENIED' } }, 'auth'],
    [404, { error: { message: 'Gone', code: 'model_not_found', type: 'invalid_request_error' } }, 'model'],
    [400, { error: { message: 'Odd', type: 'invalid_request_error', code: null } }, 'unknown'],
    [400, { error: { message: 'Busy', type: 'overloaded_error' } }, 'transient'],
  ])('HTTP %i %j is of class %s', (status, body, category) => {
    expect(refusal(replyFrom(status, JSON.stringify(body))).category).toBe(category);
  });
});

describe('words that a machine in between may use prove nothing of a call whose answer is lost', () => {
  test.each([
    [502, '{"error":"invalid request"}'],
    [504, '{"error":"image too large for the cache"}'],
    [500, '{"message":"quota of the proxy"}'],
    [503, '{"error":"maintenance"}'],
    [200, '{"message":"任务排队中"}'],
    [200, '{"message":"success, try again later for the result"}'],
    [200, 'the quota is fine'],
    [200, 'data: {"choices":[{"content_filter_results":{"jailbreak":{"filtered":false'],
    [200, '{"choices":[{"content_filter_results":{"sexual":{"filtered":false'],
    [200, 'choices: content_filter_results, jailbreak'],
  ])('HTTP %i %s', (status, text) => {
    expect(refusal(replyFrom(status, text))).toMatchObject({ outcome: 'unknown' });
  });

  test.each([
    [500, '{"error":"apikey not found"}', 'auth'],
    [500, '{"error":"余额不足"}', 'balance'],
    [200, '余额不足，请充值', 'balance'],
    [200, '{"message":"无效的令牌"}', 'auth'],
  ])('but whole phrases do: HTTP %i %s', (status, text, category) => {
    expect(refusal(replyFrom(status, text))).toMatchObject({ outcome: 'refused', category });
  });
});
