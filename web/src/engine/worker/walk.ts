// Walk-forward over the current plan, in chunks short enough that a newer study never waits long.

import type { Plan, Run, WalkInfo } from "../package.ts";
import { breath } from "./breath.ts";
import type { Open } from "./bundles.ts";

/** How long a chunk of trials should take. */
const CHUNK_MS = 15;

/** Walks over the plan's folds with what its run has prepared; nothing once it is no longer wanted. */
export async function walk(open: Open, plan: Plan, run: Run, group: number, wanted: () => boolean): Promise<WalkInfo | undefined> {
  const walk = open.bundle.walk(plan);
  try {
    walk.inherit(run);
    let groups = 1;
    for (let done = false; !done; ) {
      const before = performance.now();
      done = walk.step(groups * group);
      const took = performance.now() - before;
      groups = Math.max(Math.round(groups * Math.min(CHUNK_MS / Math.max(took, 1), 2)), 1);
      await breath();
      if (!wanted()) return undefined;
    }
    return walk.info();
  } finally {
    walk.free();
  }
}
