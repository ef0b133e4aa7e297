// All metrics of the selected trial with what they mean, and those of the pinned one with the difference.

import { inUnit } from "../format.ts";
import { engine, pinned, trial } from "../state.ts";

export function MetricsTable() {
  const metrics = engine.value?.catalog.metrics ?? [];
  const shown = trial.value;
  const kept = pinned.value?.trial;
  if (!shown) return null;
  return (
    <div class="scroll">
      <table class="metrics">
        <thead>
          <tr><th scope="col">Metric</th><th scope="col">Trial</th>{kept && <><th scope="col">Pinned</th><th scope="col">Difference</th></>}<th scope="col" class="meaning">Meaning</th></tr>
        </thead>
        <tbody>
          {metrics.map((metric, at) => {
            const value = shown.metrics[at] ?? NaN;
            const other = kept?.metrics[at] ?? NaN;
            const difference = value - other;
            const worse = metric.better === "higher" ? difference < 0 : metric.better === "lower" ? difference > 0 : false;
            return (
              <tr key={metric.name} title={metric.doc}>
                <th scope="row">{metric.title}</th>
                <td>{inUnit(value, metric.unit)}</td>
                {kept && <><td>{inUnit(other, metric.unit)}</td><td class={worse ? "loss" : ""}>{difference > 0 ? "+" : ""}{inUnit(difference, metric.unit)}</td></>}
                <td class="meaning">{metric.doc}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
