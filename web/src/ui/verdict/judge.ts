// When a run is judged: after its last picture, once nobody moves anything; and its selected trial on the sessions that the
// search did not see. The folds follow. Judging takes longer than a small run, so a picture never waits for it.

import { effect } from "@preact/signals";
import type { SandtableError } from "../../engine/index.ts";
import { heldOut as heldOutSettings } from "../../holdout.ts";
import * as state from "../state.ts";
import { exactStudy } from "../study/exact.ts";

/** The page counts as idle when a run ended so long ago. */
const IDLE_MS = 400;
/** A trial counts as chosen when the selection has stayed so long. */
const CHOSEN_MS = 120;

let judging = 0;
let testing = 0;

/** Judges the run on the page when nothing has happened for a moment. */
export function judgeLater(): void {
  clearTimeout(judging);
  judging = window.setTimeout(() => void judge().then(walk), IDLE_MS);
}

/** Something has changed: what was going to be judged is no longer wanted. */
export function judgeNoMore(): void {
  clearTimeout(judging);
  clearTimeout(testing);
}

async function judge(): Promise<void> {
  const id = state.frame.value?.plan.id;
  if (id === undefined || state.judged.value?.id === id) return;
  // An error means that the worker was replaced: its next run is judged.
  const judged = await state.engine.value?.judgement().catch(() => undefined);
  if (state.frame.value?.plan.id === id) state.judged.value = judged?.id === id ? judged : undefined;
}

/** Walks over the folds of the run on the page, if it has any and they are not there yet. */
async function walk(): Promise<void> {
  const id = state.frame.value?.plan.id;
  if (state.controls.value?.folds === undefined) state.walked.value = undefined;
  else if (id !== undefined && state.walked.value?.id !== id) {
    try {
      const walked = await state.engine.value?.walk();
      if (walked && state.frame.value?.plan.id === walked.id) state.walked.value = walked;
    } catch (error) {
      if (state.frame.value?.plan.id === id) state.walked.value = { id, why: (error as SandtableError).sentence ?? (error as Error).message };
    }
  }
}

/** Names the trial that is shown on the sessions after the split; nothing while it is one of a run with another split. */
export function heldOutKey(): string | undefined {
  const { trial, trialPlan, controls } = state;
  const split = controls.value?.holdout;
  if (!trial.value || !trialPlan.value || split === undefined || trialPlan.value.end >= split) return undefined;
  return `${trialPlan.value.id} ${trial.value.index} ${split}`;
}

// Follows the trial that is shown in full: it comes after the picture, and with each selection.
effect(() => {
  const key = heldOutKey();
  clearTimeout(testing);
  if (state.controls.value?.holdout === undefined) state.heldOut.value = undefined;
  else if (key !== undefined) testing = window.setTimeout(() => void holdOut(key), CHOSEN_MS);
});

async function holdOut(key: string): Promise<void> {
  const { engine, trial, trialPlan, controls, heldOut } = state;
  if (heldOut.peek()?.key === key || !engine.value || !trial.value || !trialPlan.value || !controls.value) return;
  const settings = heldOutSettings(controls.value, trialPlan.value, trial.value.params);
  if (!settings) return;
  try {
    const tested = await engine.value.backtest(exactStudy(settings));
    if (heldOutKey() === key) heldOut.value = { ...tested, key };
  } catch (error) {
    if (heldOutKey() !== key) return;
    heldOut.value = undefined;
    state.notify("warning", "holdout", `The sessions after the split could not be tested: ${(error as Error).message}`);
  }
}
