// The page's state in its address: compressed, after the `#`, so that it reaches no server.

import type { View } from "./engine/index.ts";
import { failure, errorOf } from "./engine/protocol.ts";
import { isFolds } from "./folds.ts";
import { EVERY_POINT, isSearch } from "./search.ts";
import type { Controls } from "./study.ts";

/** What a link holds. */
export interface Linked {
  controls: Controls;
  view: View;
  /** Index of the trial that is shown, and of one that it is compared with. */
  selected?: number;
  compared?: number;
  /** A built-in bundle by name, one on a server by address, a dropped one only by its hash. */
  bundle: { kind: "builtIn"; name: string } | { kind: "url"; url: string } | { kind: "files"; name: string };
  /** What gave the results when the link was made. */
  made: Made;
}

/** What a run's numbers depend on. */
export interface Made {
  version: string;
  engineFormat: number;
  bundleVersion: string;
  runId: string;
}

/** Something that is not as it was when a link was made. */
export interface Difference {
  what: "engine" | "bundle" | "run";
  sentence: string;
}

/** Number of the format, before the first dot. */
const FORMAT = "1";
/** A link's state is at most this long, so that a small address cannot fill the memory. */
const MOST_BYTES = 1 << 20;

/** The part of the address after the `#`. */
export async function toHash(state: Linked): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(state));
  const packed = await collect(new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate-raw")), Infinity);
  return `${FORMAT}.${toBase64Url(packed)}`;
}

/** The state in an address; nothing if the part after the `#` is no link of this page. */
export async function fromHash(hash: string): Promise<Linked | undefined> {
  const [, format, data] = /^#?(\d+)\.([\w-]+)$/.exec(hash) ?? [];
  if (format === undefined || data === undefined) return undefined;
  if (format !== FORMAT) throw unreadable(`it has format ${format}; this page reads format ${FORMAT}`);
  let state: unknown;
  try {
    const unpacked = new Blob([fromBase64Url(data)]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    state = JSON.parse(new TextDecoder().decode(await collect(unpacked, MOST_BYTES)));
  } catch (error) {
    throw error instanceof RangeError ? unreadable(error.message) : unreadable("a part of it is missing or changed");
  }
  if (!isLinked(state)) throw unreadable("it does not hold a study");
  // Links that are older than these settings were made of what they are by default.
  return { ...state, controls: { ...state.controls, constraints: state.controls.constraints ?? [], search: state.controls.search ?? { ...EVERY_POINT } } };
}

/** What differs between the link and what the page has now. */
export function differences(then: Made, now: Made): Difference[] {
  const found: Difference[] = [];
  const add = (what: Difference["what"], sentence: string) => found.push({ what, sentence });
  if (then.engineFormat !== now.engineFormat) {
    add("engine", `The link was made with engine ${then.version}; this is ${now.version}, whose results may differ.`);
  }
  if (then.bundleVersion !== now.bundleVersion) {
    add("bundle", `The data have changed since the link was made (${short(then.bundleVersion)} then, ${short(now.bundleVersion)} now).`);
  }
  if (then.runId !== now.runId) add("run", `This run is ${short(now.runId)}; the link was made of ${short(then.runId)}.`);
  return found;
}

function short(hash: string): string {
  return hash.slice(0, 12);
}

function unreadable(why: string): Error {
  return errorOf(failure(`the link cannot be read: ${why}`, "copy the whole address again"));
}

/** Whether everything is there that the page reads without asking; the engine checks the study itself. */
function isLinked(state: unknown): state is Linked {
  if (!isObject(state)) return false;
  const { controls, view, bundle, made, selected, compared } = state;
  return (
    isControls(controls) &&
    isObject(view) && typeof view["metric"] === "string" && ["best", "mean", "median"].includes(String(view["aggregate"])) &&
    isObject(view["fixed"]) && Object.values(view["fixed"]).every((value) => typeof value === "number") &&
    [view["x"], view["y"]].every((axis) => axis === undefined || typeof axis === "string") &&
    isObject(bundle) && ["name", "url"].some((key) => typeof bundle[key] === "string") &&
    (bundle["kind"] === "url" ? typeof bundle["url"] === "string" : ["builtIn", "files"].includes(String(bundle["kind"]))) &&
    isObject(made) && typeof made["engineFormat"] === "number" &&
    ["version", "bundleVersion", "runId"].every((key) => typeof made[key] === "string") &&
    [selected, compared].every((index) => index === undefined || typeof index === "number")
  );
}

function isControls(controls: unknown): boolean {
  if (!isObject(controls)) return false;
  const { ranges, costs, where, symbols, start, end, holdout, folds, constraints, search } = controls;
  return (
    ["bundle", "strategy", "fill", "objective"].every((key) => typeof controls[key] === "string") &&
    typeof controls["capital"] === "number" &&
    isObject(costs) && ["bps", "per_share", "per_trade", "slippage_bps", "spread"].every((key) => typeof costs[key] === "number") &&
    isObject(ranges) && Object.values(ranges).every(isRange) &&
    isListOf(where, "string") && (symbols === undefined || isListOf(symbols, "string")) &&
    (constraints === undefined || isListOf(constraints, "string")) && (search === undefined || isSearch(search)) &&
    (folds === undefined || isFolds(folds)) &&
    [start, end].every((date) => date === undefined || typeof date === "string") &&
    (holdout === undefined || (typeof holdout === "string" && /^\d{4}-\d{2}-\d{2}$/.test(holdout) && Number.isFinite(Date.parse(holdout))))
  );
}

function isRange(range: unknown): boolean {
  if (!isObject(range)) return false;
  switch (range["type"]) {
    case "range":
      return ["int", "float"].includes(String(range["kind"])) && ["min", "max", "step"].every((key) => typeof range[key] === "number");
    case "list":
      return isListOf(range["values"], "number");
    case "flags":
      return isListOf(range["values"], "boolean");
    case "fixed":
      return typeof range["value"] === "number" || typeof range["value"] === "boolean";
    default:
      return false;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isListOf(value: unknown, type: string): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === type);
}

/** All bytes of a stream, unless they are more than `most`. */
async function collect(stream: ReadableStream<Uint8Array>, most: number): Promise<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    length += read.value.length;
    if (length > most) {
      await reader.cancel();
      throw new RangeError(`it holds more than ${most} bytes`);
    }
    parts.push(new Uint8Array(read.value));
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

function toBase64Url(bytes: Uint8Array): string {
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (char) => char.charCodeAt(0));
}
