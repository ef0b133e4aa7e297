// What a cell says, in words.

import { inUnit } from "../format.ts";
import { metricsByName } from "../state.ts";
import type { Cell } from "./plot.ts";
import type { Surface } from "./surface.ts";
import { trialAt } from "./surface.ts";

/** The metric of a cell with its unit, or why it has none. */
export function describe(surface: Surface, cell: Cell, cells: Float64Array = surface.cells): string {
  const value = cells[cell.y * surface.xValues.length + cell.x] ?? NaN;
  const metric = metricsByName.value.get(surface.metric);
  if (Number.isNaN(value)) return trialAt(surface, cell) >= 0 ? "undefined" : "no trial";
  return inUnit(value, metric?.unit ?? "ratio");
}
