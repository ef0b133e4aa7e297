// The card beside the pointer: parameters of the cell's best trial, the metric shown, and a few others.

import { inUnit, parameter } from "../format.ts";
import { hoverRow, metricsByName } from "../state.ts";
import { describe } from "./describe.ts";
import type { Layer } from "./Heatmap.tsx";
import type { Cell } from "./plot.ts";
import type { Surface } from "./surface.ts";
import { paramsOf, trialAt } from "./surface.ts";

const KEY_METRICS = ["sharpe", "cagr", "max_drawdown", "trades"];
const WIDTH = 216;

interface CellCardProps {
  surface: Surface;
  cell: Cell;
  layer: Layer;
  at: [number, number, number];
  box: [number, number];
}

export function CellCard({ surface, cell, layer, at, box }: CellCardProps) {
  const index = trialAt(surface, cell);
  const params = index >= 0 ? paramsOf(surface.plan, index) : { [surface.x]: surface.xValues[cell.x] ?? NaN, ...(surface.yValues.length > 1 && { [surface.y]: surface.yValues[cell.y] ?? NaN }) };
  const metrics = metricsByName.value;
  const row = hoverRow.value;
  const left = at[2] < WIDTH + 26 ? Math.max(at[0] - 14 - WIDTH, 0) : at[0] + 18;
  const below = at[1] < box[1] / 2;
  return (
    <div class="card" aria-hidden="true" style={{ left: `${left}px`, width: `${WIDTH}px`, ...(below ? { top: `${at[1] + 14}px` } : { bottom: `${box[1] - at[1] + 14}px` }) }}>
      <p class="headline">
        <span>{layer === "plateau" ? "median of 3 × 3" : (metrics.get(surface.metric)?.title ?? surface.metric)}</span>
        <b>{describe(surface, cell, layer === "plateau" ? surface.plateau : surface.cells)}</b>
      </p>
      <dl>
        {surface.plan.params.map((param) => (
          <div key={param.name}><dt class="code">{param.name}</dt><dd>{parameter(params[param.name] ?? NaN, param.kind)}</dd></div>
        ))}
      </dl>
      {row && (
        <dl>
          {KEY_METRICS.filter((name) => name !== surface.metric || layer === "plateau").map((name) => {
            const metric = metrics.get(name);
            return metric && <div key={name}><dt>{metric.title}</dt><dd>{inUnit(row.metrics[metric.at] ?? NaN, metric.unit)}</dd></div>;
          })}
        </dl>
      )}
    </div>
  );
}
