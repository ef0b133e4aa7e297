// What happens on the page: opening a bundle, reading the strategy, running what the controls mean, taking frames.

import { batch } from "@preact/signals";
import type { BundleSource, Frame, OpenedBundle, SandtableError, View } from "../engine/index.ts";
import { Engine } from "../engine/index.ts";
import type { Linked } from "../permalink.ts";
import type { Controls } from "../study.ts";
import { trialsOf } from "../search.ts";
import { defaultControls, fitTo, MOST_TRIALS, trialCount, withStrategy } from "../study.ts";
import { decimal } from "./format.ts";
import { compareWithLink, linkedState, writeLink } from "./link.ts";
import { comparePinned, refreshTrial } from "./selection.ts";
import * as state from "./state.ts";
import { exactStudy } from "./study/exact.ts";
import { dismiss, notify } from "./state.ts";
import { advance, paramsOf, varying } from "./surface/surface.ts";
import { judgeLater, judgeNoMore } from "./verdict/judge.ts";

const FIRST_STRATEGY = "sma_cross";
/** The link that the page was opened with, until its run has ended. */
let linked: Linked | undefined;

/** Starts the engine and the first run. */
export async function start(): Promise<void> {
  const link = linkedState().catch((error: SandtableError) => void notify("warning", "link", sentenceOf(error)));
  let engine: Engine;
  try {
    engine = await Engine.start();
  } catch (error) {
    notify("error", "engine", sentenceOf(error as Error));
    return;
  }
  engine.onFrame = takeFrame;
  engine.onError = (error) => {
    state.planError.value = error;
  };
  engine.onRestart = (why) => notify("warning", "restart", `The engine was started again: ${why}`);
  state.engine.value = engine;
  linked = (await link) ?? undefined;
  if (linked) return openLinked(engine, linked);
  const first = engine.catalog.gallery.find((entry) => entry.name === FIRST_STRATEGY) ?? engine.catalog.gallery[0];
  load(first?.source ?? "");
  await openBundle(state.source.value);
  await readStrategy(state.draft.value);
}

async function openLinked(engine: Engine, link: Linked): Promise<void> {
  load(link.controls.strategy);
  const name = link.bundle.kind === "url" ? "" : link.bundle.name;
  const known = link.bundle.kind !== "files" || engine.catalog.bundles.some((bundle) => bundle.name === name);
  if (!known) notify("warning", "bundle", `The link was made with the local bundle “${name}”: drop it here to see the same results. Until then this is mag8.`);
  const source: BundleSource = link.bundle.kind === "url" ? link.bundle : { kind: "builtIn", name: known ? name : "mag8" };
  if (!(await openBundle(source)) && !(await openBundle({ kind: "builtIn", name: "mag8" }))) return;
  state.view.value = link.view;
  try {
    state.strategy.value = await engine.strategy(link.controls.strategy);
    state.controls.value = state.bundle.value ? fitTo(link.controls, state.bundle.value.info) : link.controls;
    explore();
  } catch (error) {
    state.strategyError.value = error as SandtableError;
  }
}

/** Opens a bundle and runs the study over it; the one before stays if it cannot be opened. */
export async function openBundle(source: BundleSource): Promise<boolean> {
  const engine = state.engine.value;
  if (!engine) return false;
  dismiss("bundle");
  const label = nameOf(source);
  state.opening.value = label;
  try {
    const opened = await engine.open(named(source));
    batch(() => {
      state.source.value = source;
      state.bundle.value = opened;
      state.pinned.value = undefined;
      state.chosen.value = undefined;
      const controls = state.controls.value;
      if (controls) state.controls.value = fitTo({ ...controls, bundle: source.kind === "builtIn" ? source.name : label }, opened.info);
    });
    tellDefects(opened, label);
    if (state.controls.value) explore();
    return true;
  } catch (error) {
    const sentence = sentenceOf(error as Error);
    notify("error", "bundle", sentence.includes(label) ? sentence : `${label}: ${sentence}`);
    return false;
  } finally {
    state.opening.value = undefined;
  }
}

/** Loose files with the first one's name for the bundle that they become. */
function named(source: BundleSource): BundleSource {
  const stem = source.kind === "files" && source.folder === undefined ? source.files[0]?.name.replace(/\..*$/, "").replace(/[^\w-]+/g, "_") : undefined;
  return source.kind === "files" && stem && !source.ingest ? { ...source, ingest: { name: stem } } : source;
}

/** What the native program would be given as the bundle. */
export function nameOf(source: BundleSource): string {
  if (source.kind === "builtIn") return source.name;
  if (source.kind === "url") return source.url;
  return source.folder ?? source.files[0]?.name ?? "files";
}

function tellDefects(opened: OpenedBundle, label: string): void {
  const defects = opened.defects ?? [];
  if (defects.length === 0) return;
  const lines = defects.slice(0, 20).map((defect) => {
    const where = [defect.symbol, defect.file, defect.line > 0 ? `line ${defect.line}` : "", defect.date].filter(Boolean).join(", ");
    return `${where ? `${where}: ` : ""}${defect.meaning} ${defect.found ? `(found ${defect.found}) ` : ""}– ${defect.done}${defect.count > 1 ? `, ${defect.count} times` : ""}`;
  });
  const count = opened.defectCount ?? defects.length;
  notify("warning", "bundle", `${label}: ${decimal(count, 0)} ${count === 1 ? "row was" : "rows were"} not as expected.`, lines);
}

/** Takes another text of the strategy: runs it if it is understood, else shows what is wrong and keeps the run before. */
export async function readStrategy(text: string, fresh = false): Promise<void> {
  const engine = state.engine.value;
  if (!engine) return;
  if (fresh) load(text);
  else state.draft.value = text;
  try {
    const info = await engine.strategy(text);
    if (state.draft.value !== text) return;
    const before = state.controls.value;
    const bundle = before?.bundle ?? nameOf(state.source.value);
    const keep = before && !fresh;
    const base = keep ? withStrategy(before, text, info) : { ...before, ...defaultControls(bundle, text, info), ...pick(before) };
    batch(() => {
      state.strategyError.value = undefined;
      state.strategy.value = info;
      state.controls.value = base;
      if (fresh) {
        state.chosen.value = undefined;
        state.pinned.value = undefined;
        state.view.value = { metric: state.view.value.metric, aggregate: state.view.value.aggregate, fixed: {} };
      }
    });
    explore();
  } catch (error) {
    if (state.draft.value === text) state.strategyError.value = error as SandtableError;
  }
}

/** Puts a text into the editor. */
function load(text: string): void {
  state.draft.value = text;
  state.loaded.value = { text };
}

/** What stays when another strategy is chosen from the gallery. */
function pick(controls: Controls | undefined): Partial<Controls> {
  if (!controls) return {};
  const { strategy: _, ranges: _ranges, where: _where, ...kept } = controls;
  return kept;
}

/** Lays changes over the controls and runs them at once. */
export function change(part: Partial<Controls>): void {
  const controls = state.controls.value;
  if (!controls) return;
  state.controls.value = { ...controls, ...part };
  explore();
}

/** Runs settings that lack a key which the ones before had. */
export function replaceWith(settings: Controls): void {
  state.controls.value = settings;
  explore();
}

/** Runs what the controls mean, unless that is too much for a page. */
function explore(): void {
  const { engine, controls, strategy } = state;
  if (!engine.value || !controls.value || !state.bundle.value) return;
  judgeNoMore();
  const trials = trialsOf(controls.value.search, trialCount(controls.value));
  state.tooMany.value = trials > MOST_TRIALS ? trials : undefined;
  if (state.tooMany.value !== undefined) return;
  state.planError.value = undefined;
  const names = new Set(strategy.value?.params.map((param) => param.name));
  state.view.value = inside(state.view.value, (name) => names.has(name) && controls.value?.ranges[name]?.type !== "fixed");
  engine.value.explore(exactStudy(controls.value), state.view.value);
}

/** The view without parameters that do not vary; with one axis lost, both are chosen anew. */
function inside(view: View, varies: (name: string) => boolean): View {
  const { x, y, ...rest } = view;
  const fixed = Object.fromEntries(Object.entries(view.fixed).filter(([name]) => varies(name)));
  const whole = [x, y].every((axis) => axis === undefined || varies(axis));
  return { ...rest, fixed, ...(whole && x !== undefined && { x }), ...(whole && y !== undefined && { y }) };
}

/** Shows the run in another way. */
export function look(part: Partial<View>): void {
  state.view.value = { ...state.view.value, ...part };
  state.hover.value = undefined;
  state.engine.value?.setView(state.view.value);
}

function takeFrame(frame: Frame): void {
  const first = state.frame.value === undefined;
  batch(() => {
    const before = state.frame.value;
    state.frame.value = frame;
    if (frame.final && frame.top[0]) state.best.value = paramsOf(frame.plan, frame.top[0].index);
    if (varying(frame.plan).length === 0) state.surface.value = undefined;
    else if (frame.heatmap) state.surface.value = advance(state.surface.value, frame.heatmap, frame.plan, state.view.value, frame.final);
    if (before?.plan.id !== frame.plan.id) {
      const { warnings } = frame.plan;
      if (warnings.length > 0) notify("note", "plan", warnings.length === 1 ? (warnings[0] as string) : "The study was read with remarks.", warnings.length > 1 ? warnings : []);
      else dismiss("plan");
    }
  });
  document.documentElement.dataset["frame"] = `${frame.serial}${frame.final ? ":final" : ""}`;
  Object.assign(window, { sandtable: { engine: state.engine.value, frame } });
  if (frame.final && linked) {
    const link = linked;
    linked = undefined;
    compareWithLink(link, frame);
    if (link.selected !== undefined) state.chosen.value = paramsOf(frame.plan, link.selected);
    if (link.compared !== undefined) void comparePinned(link.compared, frame.plan);
  }
  if (first) performance.mark("sandtable:first-frame");
  if (frame.final) afterPaint(() => state.frame.value === frame && settle());
}

/** What follows a complete picture, and must not delay it. */
function settle(): void {
  refreshTrial();
  void writeLink();
  judgeLater();
}

/** Calls back when what was drawn last is on the screen. A page in the background draws nothing and need not wait. */
function afterPaint(then: () => void): void {
  if (document.hidden) then();
  else requestAnimationFrame(() => setTimeout(then));
}

export function sentenceOf(error: Error): string {
  const { sentence, help, place } = error as Partial<SandtableError>;
  const where = place?.file ? `${place.file}${place.line > 0 ? `, line ${place.line}` : ""}: ` : "";
  const text = `${where}${sentence ?? error.message}`;
  return help ? `${text} (${help})` : text;
}
