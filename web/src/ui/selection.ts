// The selected trial, the pinned one, and the cell under the pointer: which they are, and their numbers from the engine.

import { batch } from "@preact/signals";
import type { PlanInfo, TrialRow } from "../engine/index.ts";
import * as state from "./state.ts";
import { notify } from "./state.ts";
import { writeLink } from "./link.ts";
import type { Cell } from "./surface/plot.ts";
import { cellOf, paramsOf, trialAt } from "./surface/surface.ts";

/** Key of the trial that was asked for last, so that an earlier answer does not replace a later one. */
let asked = "";
let rows = new Map<number, TrialRow>();
let rowsOf = "";

/** Selects the best trial of a cell. */
export function choose(cell: Cell): void {
  const surface = state.surface.value;
  if (!surface) return;
  const index = trialAt(surface, cell);
  const params = index >= 0 ? paramsOf(surface.plan, index) : paramsInCell(cell);
  if (!params) return;
  state.chosen.value = params;
  refreshTrial();
  void writeLink();
}

/** A cell that has no trial yet: its two values, and for the rest those of the selected trial. */
function paramsInCell(cell: Cell): Record<string, number> | undefined {
  const surface = state.surface.value;
  if (!surface) return undefined;
  const base = state.chosen.value ?? (state.selected.value >= 0 && state.frame.value ? paramsOf(state.frame.value.plan, state.selected.value) : undefined);
  if (!base) return undefined;
  return { ...base, [surface.x]: surface.xValues[cell.x] ?? NaN, ...(surface.yValues.length > 1 && { [surface.y]: surface.yValues[cell.y] ?? NaN }) };
}

/** Goes back to following the best trial. */
export function followBest(): void {
  state.chosen.value = undefined;
  refreshTrial();
  void writeLink();
}

/** The cell of the selected trial. */
export function selectedCell(): Cell | undefined {
  const surface = state.surface.value;
  const frame = state.frame.value;
  if (!surface || !frame) return undefined;
  return cellOf(surface, state.chosen.value ?? (state.selected.value >= 0 ? paramsOf(frame.plan, state.selected.value) : undefined));
}

/** The cell of the pinned trial. */
export function pinnedCell(): Cell | undefined {
  const surface = state.surface.value;
  const pinned = state.pinned.value;
  return surface && pinned ? cellOf(surface, paramsOf(pinned.plan, pinned.trial.index)) : undefined;
}

/** Asks for the selected trial in full, if it is not the one on screen. */
export function refreshTrial(): void {
  const { engine, frame } = state;
  const index = state.selected.value;
  if (!engine.value || !frame.value || index < 0) return;
  const plan = frame.value.plan;
  const key = `${plan.id} ${index}`;
  if (key === asked) return;
  asked = key;
  engine.value.trial(index).then(
    (trial) => {
      if (asked !== key) return;
      batch(() => {
        state.trial.value = trial;
        state.trialPlan.value = plan;
      });
    },
    () => {
      // The run was replaced meanwhile; its final frame asks again.
      if (asked === key) asked = "";
    },
  );
}

/** Keeps the selected trial for comparison, or lets it go if it is the one that is kept. */
export function pin(): void {
  const trial = state.trial.value;
  const plan = state.trialPlan.value;
  if (!trial || !plan) return;
  const before = state.pinned.value;
  const again = before !== undefined && before.plan.id === plan.id && before.trial.index === trial.index;
  state.pinned.value = again ? undefined : { trial, plan };
  void writeLink();
}

export function unpin(): void {
  state.pinned.value = undefined;
  void writeLink();
}

/** Pins the trial that a link compares with. */
export async function comparePinned(index: number, plan: PlanInfo): Promise<void> {
  try {
    const trial = await state.engine.value?.trial(index);
    if (trial) state.pinned.value = { trial, plan };
  } catch {
    notify("note", "compare", "The trial that the link compares with is not in this run.");
  }
}

/** Shows the metrics of the cell under the pointer. */
export function pointAt(cell: Cell | undefined): void {
  const surface = state.surface.value;
  const engine = state.engine.value;
  state.hover.value = cell;
  const index = surface && cell ? trialAt(surface, cell) : -1;
  if (!surface || !engine || !cell || index < 0) {
    state.hoverRow.value = undefined;
    return;
  }
  if (rowsOf !== surface.plan.id) {
    rows = new Map();
    rowsOf = surface.plan.id;
  }
  const known = rows.get(index);
  state.hoverRow.value = known;
  if (known) return;
  const { id } = surface.plan;
  engine.row(index).then(
    (row) => {
      if (!row || rowsOf !== id || state.frame.value?.plan.id !== id) return;
      rows.set(index, row);
      const now = state.hover.value;
      if (now && now.x === cell.x && now.y === cell.y) state.hoverRow.value = row;
    },
    () => undefined,
  );
}
