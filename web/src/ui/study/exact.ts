// The study that the controls mean, with each range ended at the last value that its steps reach.
//
// Sessions that are kept from the search are left out.
// A slider's upper end keeps its place while the lower one or the step moves; the engine wants a step that divides.

import type { Study } from "../../engine/index.ts";
import { searched } from "../../holdout.ts";
import type { Controls, Range } from "../../study.ts";
import { toStudy, valuesOf } from "../../study.ts";

export function exactStudy(settings: Controls): Study {
  const controls = searched(settings);
  const ranges = Object.entries(controls.ranges).map(([name, range]): [string, Range] => [name, range.type === "range" ? ended(range) : range]);
  return toStudy({ ...controls, ranges: Object.fromEntries(ranges) });
}

function ended(range: Extract<Range, { type: "range" }>): Range {
  const last = valuesOf(range).at(-1);
  return typeof last === "number" ? { ...range, max: last } : range;
}
