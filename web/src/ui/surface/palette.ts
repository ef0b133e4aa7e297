// Colour scales that remain readable for colour-blind eyes: viridis for one-sided metrics, blue–orange for signed ones.

export interface Palette {
  kind: "sequential" | "diverging";
  /** Value of the lower and the upper end. */
  low: number;
  high: number;
  /** Whether small values are the good ones; then the scale runs the other way. */
  reversed: boolean;
  dark: boolean;
}

/** Which kind of scale is wanted. */
export type Wish = "auto" | Palette["kind"];

type Rgb = readonly [number, number, number];

const hex = (text: string): Rgb[] =>
  text.split(" ").map((code) => [0, 2, 4].map((at) => parseInt(code.slice(at, at + 2), 16)) as unknown as Rgb);

// Viridis (van der Walt and Smith, 2015), sixteen anchors; lines between them stay within 2/255 of the original.
const VIRIDIS = hex("440154 481a6c 472f7d 414487 39568c 31688e 2a788e 23888e 1f988b 22a884 35b779 54c568 7ad151 a5db36 d2e21b fde725");
// Orange is bad, blue is good; equal lightness steps on both sides of the neutral centre.
const SIGNED_LIGHT = hex("7f3000 a84a0c cf6c26 e99a5c f5c79d f4f3ef b7d3ee 7fb0e0 4a8bcd 2265b0 0b3f85");
const SIGNED_DARK = hex("ffc07f f2994b cf7429 9c5319 5e3512 22252a 163a63 1f5a9a 3a7fcb 68a8ee a8d2ff");

function along(anchors: Rgb[], share: number): Rgb {
  const place = Math.min(Math.max(share, 0), 1) * (anchors.length - 1);
  const before = Math.min(Math.floor(place), anchors.length - 2);
  const rest = place - before;
  const a = anchors[before] as Rgb;
  const b = anchors[before + 1] as Rgb;
  return [0, 1, 2].map((i) => Math.round((a[i] as number) + ((b[i] as number) - (a[i] as number)) * rest)) as unknown as Rgb;
}

/** Colours of 256 steps from the low to the high end, as bytes r, g, b. */
export function steps(palette: Palette): Uint8Array {
  const anchors = palette.kind === "sequential" ? VIRIDIS : palette.dark ? SIGNED_DARK : SIGNED_LIGHT;
  const table = new Uint8Array(256 * 3);
  for (let i = 0; i < 256; i++) table.set(along(anchors, palette.reversed ? 1 - i / 255 : i / 255), i * 3);
  return table;
}

/** Where a value stands between the ends, 0 to 1. */
export function share(palette: Palette, value: number): number {
  return palette.high > palette.low ? (value - palette.low) / (palette.high - palette.low) : 0.5;
}

/** The scale for these cells; left to itself it diverges around 0 where both signs matter, because that halves its steps. */
export function fit(cells: ArrayLike<number>, direction: "max" | "min", dark: boolean, wish: Wish): Palette {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < cells.length; i++) {
    const value = cells[i] as number;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (!(low <= high)) return { kind: "sequential", low: 0, high: 1, reversed: direction === "min", dark };
  const bothSigns = low < 0 && high > 0 && Math.min(-low, high) > 0.3 * (high - low);
  if (wish === "diverging" || (wish === "auto" && bothSigns)) {
    const end = Math.max(-low, high);
    return { kind: "diverging", low: -end, high: end, reversed: direction === "min", dark };
  }
  return { kind: "sequential", low, high, reversed: direction === "min", dark };
}
