// The surface: raw beside its plateau where there is room, else one of them; metrics of the cell next to them, the verdict below.

import { signal } from "@preact/signals";
import { decimal, parameter } from "../format.ts";
import { selectedCell } from "../selection.ts";
import { frame, planError, strategyError, surface, tooMany } from "../state.ts";
import { VerdictPane } from "../verdict/VerdictPane.tsx";
import { CellMetrics } from "./CellMetrics.tsx";
import { describe } from "./describe.ts";
import type { Layer } from "./Heatmap.tsx";
import { Heatmap } from "./Heatmap.tsx";
import { Legend } from "./Legend.tsx";
import { ViewControls } from "./ViewControls.tsx";

const layers = signal<Layer | "both">("both");
const NAMES: [Layer | "both", string][] = [["cells", "raw"], ["plateau", "plateau"], ["both", "both"]];

export function SurfacePane() {
  const shown = surface.value;
  const now = frame.value;
  const single = now !== undefined && now.final && !shown;
  const stale = strategyError.value !== undefined || planError.value !== undefined || tooMany.value !== undefined;
  return (
    <section class={`surface ${layers.value}${stale ? " stale" : ""}${single ? " single" : ""}`} aria-label="Surface">
      <div class="title">
        <ViewControls />
        <div class="switch" role="group" aria-label="Raw surface or plateau">
          {NAMES.map(([layer, name]) => (
            <button key={layer} type="button" class={`chip ${layer}`} aria-pressed={layers.value === layer} onClick={() => (layers.value = layer)}>{name}</button>
          ))}
        </div>
      </div>
      <div class="maps">
        <figure class="raw">
          <Heatmap layer="cells" />
          <figcaption><span><b>{shown?.metric ?? "\u00a0"}</b> of each {shown && varies(shown.plan.params.length) ? `cell’s ${shown.aggregate}` : "trial"}{now && !now.final && <span class="progress">, {decimal((now.progress.trials / Math.max(now.progress.total, 1)) * 100, 0)} %</span>}</span><Reading layer="cells" /></figcaption>
        </figure>
        <figure class="smooth">
          <Heatmap layer="plateau" />
          <figcaption><span><b>plateau</b> median of each cell and its neighbours</span><Reading layer="plateau" /></figcaption>
        </figure>
        {single && <p class="none">No parameter varies: the run is one trial, shown below. Give a parameter a range to see a surface.</p>}
      </div>
      <CellMetrics />
      <Legend />
      <VerdictPane />
    </section>
  );
}

const varies = (count: number) => count > 2;

/** Where the selected cell is, and what it says. */
function Reading({ layer }: { layer: Layer }) {
  const shown = surface.value;
  const cell = shown && selectedCell();
  if (!shown || !cell) return null;
  const at = [shown.xValues[cell.x], ...(shown.yValues.length > 1 ? [shown.yValues[cell.y]] : [])].map((value) => parameter(value ?? NaN)).join(" / ");
  return <span class="reading"><span class="code">{at}</span> <b>{describe(shown, cell, shown[layer])}</b></span>;
}
