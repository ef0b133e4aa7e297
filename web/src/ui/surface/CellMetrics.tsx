// All metrics of the cell under the crosshair, or of the selected trial.

import { inUnit, parameter } from "../format.ts";
import { engine, hoverRow, trial, trialPlan } from "../state.ts";

export function CellMetrics() {
  const metrics = engine.value?.catalog.metrics ?? [];
  const row = hoverRow.value;
  const shown = row ?? trial.value;
  const names = trialPlan.value?.params ?? [];
  return (
    <aside class="cell-metrics" aria-label={row ? "Metrics under the pointer" : "Metrics of the selected trial"}>
      <h2>
        {row ? "Under the pointer" : "Selected"}
        <span class="code">{shown && names.map((param, i) => parameter(shown.params[i] ?? NaN, param.kind)).join(" / ")}</span>
      </h2>
      <dl>
        {metrics.map((metric, at) => (
          <div key={metric.name} title={metric.doc}><dt>{metric.title}</dt><dd>{shown ? inUnit(shown.metrics[at] ?? NaN, metric.unit) : ""}</dd></div>
        ))}
      </dl>
    </aside>
  );
}
