import { digest } from '../random.ts';

/** A picture without size: the value (0–255) of channel 0–2 (red, green, blue) at a place in the unit square. */
export type Paint = (channel: number, u: number, v: number) => number;

const clamp = (value: number): number => Math.max(0, Math.min(255, value));

/** A gradient with soft slanted stripes whose colours, slant and width come from `text`; the same text paints the same picture. */
export function paintOf(text: string): Paint {
  const bytes = digest('picture', text);
  const at = (i: number): number => bytes[i] ?? 0;
  const slant = (at(9) / 255) * Math.PI;
  const [across, down, stripes] = [Math.cos(slant), Math.sin(slant), 2 + (at(10) % 5)];
  return (channel, u, v) => {
    const gradient = at(channel) + (at(channel + 3) - 128) * u + (at(channel + 6) - 128) * v;
    const stripe = Math.sin((u * across + v * down) * stripes * Math.PI * 2 + channel) * 24;
    return clamp(gradient + stripe);
  };
}
