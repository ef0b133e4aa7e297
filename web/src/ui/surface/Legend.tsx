// The colour scale of the surface, with its ends and, if it is signed, its centre.

import { useEffect, useRef } from "preact/hooks";
import { inUnit } from "../format.ts";
import { metricsByName, surface } from "../state.ts";
import { dark } from "../theme.ts";
import { fit, steps } from "./palette.ts";

export function Legend() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const shown = surface.value;
  const palette = shown && fit(shown.cells, shown.direction, dark.value);
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context || !palette) return;
    const image = new ImageData(256, 1);
    const colours = steps(palette);
    for (let i = 0; i < 256; i++) image.data.set([colours[i * 3] as number, colours[i * 3 + 1] as number, colours[i * 3 + 2] as number, 255], i * 4);
    context.putImageData(image, 0, 0);
  }, [palette?.kind, palette?.reversed, palette?.dark]);
  if (!shown || !palette) return null;
  const unit = metricsByName.value.get(shown.metric)?.unit ?? "ratio";
  return (
    <div class="legend" role="img" aria-label={`Colours from ${inUnit(palette.low, unit)} to ${inUnit(palette.high, unit)}`}>
      <span>{inUnit(palette.low, unit)}</span>
      <canvas ref={canvas} width={256} height={1} />
      <span>{inUnit(palette.high, unit)}</span>
    </div>
  );
}
