// The surface on screen: a heatmap of the engine, with cells of the run before where the new run has none yet.

import type { Heatmap, PlanInfo, View } from "../../engine/index.ts";
import type { Cell } from "./plot.ts";

export interface Surface extends Heatmap {
  plan: PlanInfo;
  aggregate: View["aggregate"];
  fixed: Record<string, number>;
  /** Of each cell, whether it has been evaluated. */
  known: Uint8Array;
}

const same = (a: Float64Array, b: Float64Array) => a.length === b.length && a.every((value, i) => value === b[i]);

/** The surface after a heatmap of `plan` came; `before` lends its cells, or stays if nothing is there yet. */
export function advance(before: Surface | undefined, heatmap: Heatmap, plan: PlanInfo, view: View, done: boolean): Surface {
  const known = Uint8Array.from(heatmap.trials, (index) => (index >= 0 ? 1 : 0));
  const after: Surface = { ...heatmap, plan, aggregate: view.aggregate, fixed: view.fixed, known };
  if (done || !before || before.metric !== heatmap.metric || before.aggregate !== view.aggregate) {
    return !done && before && heatmap.filled === 0 && before.metric === heatmap.metric ? before : after;
  }
  const sameAxes = before.x === heatmap.x && before.y === heatmap.y && same(before.xValues, heatmap.xValues) && same(before.yValues, heatmap.yValues);
  if (!sameAxes) return heatmap.filled === 0 ? before : after;
  after.cells = heatmap.cells.map((value, i) => (known[i] ? value : (before.cells[i] ?? NaN)));
  after.plateau = heatmap.plateau.map((value, i) => (known[i] ? value : (before.plateau[i] ?? NaN)));
  after.trials = heatmap.trials.map((index, i) => (known[i] ? index : (before.trials[i] ?? -1)));
  after.known = known.map((flag, i) => flag || (before.known[i] ?? 0));
  return after;
}

/** Index of the point with these values; a value that is not on an axis counts as the nearest. -1 if a parameter is missing. */
export function indexOf(plan: PlanInfo, params: Record<string, number>): number {
  let index = 0;
  for (const axis of plan.params) {
    const value = params[axis.name];
    if (value === undefined) return -1;
    index = index * axis.values.length + nearest(axis.values, value);
  }
  return index;
}

/** Parameters of the point with this index; the last parameter changes fastest. */
export function paramsOf(plan: PlanInfo, index: number): Record<string, number> {
  const params: Record<string, number> = {};
  let rest = index;
  for (const axis of [...plan.params].reverse()) {
    const count = Math.max(axis.values.length, 1);
    params[axis.name] = axis.values[rest % count] ?? NaN;
    rest = Math.floor(rest / count);
  }
  return params;
}

export function nearest(values: ArrayLike<number>, value: number): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) {
    if (Math.abs((values[i] as number) - value) < Math.abs((values[best] as number) - value)) best = i;
  }
  return best;
}

/** The cell that shows a trial with these parameters. */
export function cellOf(surface: Surface, params: Record<string, number> | undefined): Cell | undefined {
  if (!params) return undefined;
  const [x, y] = [params[surface.x], surface.yValues.length > 1 ? params[surface.y] : 0];
  if (x === undefined || y === undefined) return undefined;
  return { x: nearest(surface.xValues, x), y: surface.yValues.length > 1 ? nearest(surface.yValues, y) : 0 };
}

/** Index of the best trial of a cell, or -1. */
export function trialAt(surface: Surface, cell: Cell): number {
  return surface.trials[cell.y * surface.xValues.length + cell.x] ?? -1;
}

/** Parameters that vary in a plan. */
export function varying(plan: PlanInfo): PlanInfo["params"] {
  return plan.params.filter((param) => param.values.length > 1);
}
