// The colour scale of the surface with its ends; pressed, it changes between one-sided and signed.

import { useEffect, useRef } from "preact/hooks";
import { inUnit } from "../format.ts";
import { metricsByName, surface } from "../state.ts";
import type { Wish } from "./palette.ts";
import { share, steps } from "./palette.ts";
import { palette, wish } from "./scale.ts";

const NEXT: Record<Wish, Wish> = { auto: "sequential", sequential: "diverging", diverging: "auto" };
const NAMES: Record<Wish, string> = { auto: "auto", sequential: "one-sided", diverging: "around zero" };

export function Legend() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const shown = surface.value;
  const scale = palette.value;
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context || !scale) return;
    const image = new ImageData(256, 1);
    const colours = steps(scale);
    for (let i = 0; i < 256; i++) image.data.set([colours[i * 3] as number, colours[i * 3 + 1] as number, colours[i * 3 + 2] as number, 255], i * 4);
    context.putImageData(image, 0, 0);
  }, [scale?.kind, scale?.reversed, scale?.dark]);
  if (!shown || !scale) return null;
  const unit = metricsByName.value.get(shown.metric)?.unit ?? "ratio";
  const zero = scale.low < 0 && scale.high > 0 ? share(scale, 0) : undefined;
  return (
    <div class="legend">
      <span>{inUnit(scale.low, unit)}</span>
      <span class="bar" role="img" aria-label={`Colours from ${inUnit(scale.low, unit)} to ${inUnit(scale.high, unit)}`}>
        <canvas ref={canvas} width={256} height={1} />
        {zero !== undefined && <i style={{ left: `${zero * 100}%` }}><span>0</span></i>}
      </span>
      <span>{inUnit(scale.high, unit)}</span>
      <button type="button" class="plain" title="Colours: chosen by the values, one-sided, or around zero" onClick={() => (wish.value = NEXT[wish.value])}>{NAMES[wish.value]}</button>
    </div>
  );
}
