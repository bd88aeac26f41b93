/** What the demo asks for; models and ratios as in upstream.md §9. */
export interface DemoJob {
  readonly type: 'chat' | 'image';
  readonly model: string;
  readonly prompt: string;
  readonly ratio?: string;
}

const CHAT_MODELS = ['gemini-3.1-pro', 'gemini-3-flash', 'gpt-5.5', 'gemini-3.5-flash'];

const QUESTIONS = [
  'Why does a lighthouse turn its lamp instead of flashing it?',
  'Name three uses for an old sea chart.',
  'Explain tides to a seven-year-old in two sentences.',
  'Write a haiku about a harbour at dawn.',
  'What is the difference between a ketch and a yawl?',
  'Give a recipe for a soup from whatever washed ashore.',
  'How do gulls sleep on the water?',
  'Suggest a name for a small red rowing boat.',
  'Why is the sea blue and a glass of it clear?',
  'Describe the smell of rope and tar without naming either.',
  'Which knot holds best on a wet rope, and why?',
  'Write the last line of a novel that ends on a pier.',
];

const PICTURES: readonly Omit<DemoJob, 'type'>[] = [
  { model: 'nano-banana-2', ratio: '4:3', prompt: 'A paper lighthouse on a foggy desk, soft morning light' },
  { model: 'gpt-image-2', ratio: '1:1', prompt: 'A brass compass overgrown with moss, macro photograph' },
  { model: 'nano-banana-2', ratio: '16:9', prompt: 'A harbour town folded from old newspapers, aerial view' },
  { model: 'nano-banana-2-lite', ratio: '3:4', prompt: 'A fisherman knitting a net out of moonlight, woodcut' },
  { model: 'nano-banana-pro', ratio: '21:9', prompt: 'A long pier in the rain seen from the water, charcoal' },
  { model: 'gpt-image-2.5', ratio: '2:3', prompt: 'A heron in a yellow raincoat, gouache' },
  { model: 'nano-banana-2', ratio: '1:1', prompt: 'A teapot shaped like a whale, studio light' },
  { model: 'gpt-image-2', ratio: '3:2', prompt: 'Two gulls arguing over a chess board, linocut' },
  { model: 'nano-banana-2-lite', ratio: '9:16', prompt: 'A spiral staircase inside a sea shell' },
  { model: 'nano-banana-pro', ratio: '5:4', prompt: 'A red rowing boat moored to a cloud, watercolour' },
  { model: 'gpt-image-2-vip', ratio: '1280x720', prompt: 'A storm in a jam jar on a window sill, oil painting' },
  { model: 'nano-banana-2', ratio: '4:5', prompt: 'A map of an island that looks like a sleeping cat' },
];

/** `count` jobs of each type; beyond twelve the prompts come round again. */
export function demoJobs(count: number): DemoJob[] {
  const pick = <T>(list: readonly T[], index: number): T => list[index % list.length] as T;
  const numbers = Array.from({ length: count }, (_, index) => index);
  return [
    ...numbers.map((index) => ({ type: 'chat' as const, model: pick(CHAT_MODELS, index), prompt: pick(QUESTIONS, index) })),
    ...numbers.map((index) => ({ type: 'image' as const, ...pick(PICTURES, index) })),
  ];
}
