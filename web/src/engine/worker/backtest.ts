// One backtest beside the current run: the first trial of a study, in full.
//
// It is given an open bundle and a study that fixes every parameter; it never touches the run that the page shows.

import type { Study } from "../package.ts";
import type { Backtest } from "../protocol.ts";
import { loadFor, type Open } from "./bundles.ts";

/** Runs the study's first trial; `pool` must have settled before. */
export async function backtest(open: Open, study: Study, pool: Promise<void>): Promise<Backtest> {
  const plan = open.bundle.plan(study);
  try {
    await loadFor(open, plan);
    await pool;
    const run = open.bundle.run(plan);
    try {
      run.step(1);
      const judgement = run.judgement();
      return { plan: plan.info(), trial: run.trial(0), ...(judgement && { judgement }) };
    } finally {
      run.free();
    }
  } finally {
    plan.free();
  }
}
