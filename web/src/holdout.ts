// The sessions that a search does not see: one date cuts the study into a part that is searched and a part that is not.
//
// Given the page's settings, this makes the two studies. It never knows what came out of either.

import type { PlanInfo } from "./engine/index.ts";
import type { Controls, Range } from "./study.ts";
import { EVERY_POINT } from "./search.ts";

/** Share of the sessions that is searched unless somebody says otherwise. */
export const SEARCHED = 0.7;

const DAY_MS = 86_400_000;

/** The day before. */
export function dayBefore(date: string): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) - DAY_MS).toISOString().slice(0, 10);
}

/** The date `share` of the way from `first` to `last`. */
export function dateBetween(first: string, last: string, share: number): string {
  const [from, to] = [Date.parse(`${first}T00:00:00Z`), Date.parse(`${last}T00:00:00Z`)];
  return new Date(from + Math.round(((to - from) * share) / DAY_MS) * DAY_MS).toISOString().slice(0, 10);
}

/** The settings of the search: they end the day before the first session that is kept from it. */
export function searched(controls: Controls): Controls {
  const { holdout, ...rest } = controls;
  return holdout === undefined ? controls : { ...rest, end: dayBefore(holdout) };
}

/**
 * The settings of one backtest over the sessions that the search did not see: every parameter has the value of the chosen
 * trial, and indicators warm up on the bars before.
 */
export function heldOut(controls: Controls, plan: PlanInfo, params: ArrayLike<number>): Controls | undefined {
  const { holdout, folds: _, ...rest } = controls;
  if (holdout === undefined) return undefined;
  const fixed = plan.params.map(({ name, kind }, at): [string, Range] => [name, { type: "fixed", value: kind === "bool" ? params[at] !== 0 : (params[at] ?? NaN) }]);
  return { ...rest, start: holdout, ranges: Object.fromEntries(fixed), where: [], search: { ...EVERY_POINT, seed: controls.search.seed } };
}

