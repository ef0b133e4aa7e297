// The permalink of what is on the page, and the files that leave it.

import type { ExportFormat, Frame } from "../engine/index.ts";
import type { Linked, Made } from "../permalink.ts";
import { differences, fromHash, toHash } from "../permalink.ts";
import { nativeCommand, nativeScript } from "../study.ts";
import * as state from "./state.ts";
import { notify } from "./state.ts";
import { exactStudy } from "./study/exact.ts";
import { indexOf, paramsOf } from "./surface/surface.ts";

/** What the address holds, if it holds anything. */
export function linkedState(): Promise<Linked | undefined> {
  return location.hash.length > 1 ? fromHash(location.hash) : Promise.resolve(undefined);
}

function made(frame: Frame): Made | undefined {
  const catalog = state.engine.value?.catalog;
  const bundle = state.bundle.value;
  if (!catalog || !bundle) return undefined;
  return { version: catalog.version, engineFormat: catalog.engineFormat, bundleVersion: bundle.info.version, runId: frame.plan.id };
}

/** Says what is not as it was when the link was made. */
export function compareWithLink(link: Linked, frame: Frame): void {
  const now = made(frame);
  if (!now) return;
  const found = differences(link.made, now);
  if (found.length > 0) notify("warning", "link", "This is not the run that the link was made of.", found.map((one) => one.sentence));
}

let writing = 0;

/** Puts the state into the address; a run that has not ended has no results to link to. */
export async function writeLink(): Promise<void> {
  const number = ++writing;
  await new Promise((resolve) => setTimeout(resolve, 300));
  if (number !== writing) return;
  const hash = await currentHash();
  if (hash !== undefined && number === writing) history.replaceState(null, "", `#${hash}`);
}

async function currentHash(): Promise<string | undefined> {
  const frame = state.frame.value;
  const controls = state.controls.value;
  const now = frame && made(frame);
  const source = state.source.value;
  if (!frame || !controls || !now) return undefined;
  const pinned = state.pinned.value;
  const linked: Linked = {
    controls,
    view: state.view.value,
    bundle: source.kind === "files" ? { kind: "files", name: state.bundle.value?.info.name ?? "" } : source,
    made: now,
    ...(state.chosen.value && { selected: indexOf(frame.plan, state.chosen.value) }),
    ...(pinned && { compared: indexOf(frame.plan, paramsOf(pinned.plan, pinned.trial.index)) }),
  };
  return toHash(linked);
}

/** Copies the address of what is on the page. */
export async function copyLink(): Promise<void> {
  const hash = await currentHash();
  if (hash === undefined) return;
  history.replaceState(null, "", `#${hash}`);
  await copy(location.href, "The link to this run");
}

export async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    notify("note", "copied", `${what} was copied.`);
  } catch {
    notify("note", "copied", `${what} could not be copied by the page; here it is:`, [text]);
  }
}

export function runName(): string {
  return state.strategy.value?.name ?? state.frame.value?.plan.name ?? "study";
}

export function command(): string {
  return nativeCommand(runName());
}

/** Copies the study and the command as one text for a shell. */
export async function copyNative(): Promise<void> {
  const study = await studyText();
  if (study !== undefined) await copy(nativeScript(runName(), study), "The study with its command");
}

/** The study as TOML; one that is too large to run here as JSON, which the native program reads in the same file. */
async function studyText(): Promise<string | undefined> {
  const { controls, engine, tooMany } = state;
  if (tooMany.value !== undefined && controls.value) return JSON.stringify(exactStudy(controls.value), null, 2);
  return (await engine.value?.export("study.toml"))?.text();
}

export async function saveStudy(): Promise<void> {
  const study = await studyText();
  if (study !== undefined) download(new Blob([study], { type: "text/plain" }), study.startsWith("{") ? "study.json" : "study.toml");
}

/** Saves results as a file. */
export async function save(format: ExportFormat & ("parquet" | "csv")): Promise<void> {
  try {
    const blob = await state.engine.value?.export(format);
    if (blob) download(blob, `${runName()}.${format}`);
  } catch (error) {
    notify("error", "export", (error as Error).message);
  }
}

export function download(blob: Blob, name: string): void {
  const anchor = document.createElement("a");
  anchor.href = URL.createObjectURL(blob);
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(anchor.href), 10_000);
}
