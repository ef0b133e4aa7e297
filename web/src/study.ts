// The page's controls and the study that they mean, in both directions.
//
// A study is what the native program reads, so a control that is not in it would be a setting that nobody can repeat.

import type { BundleInfo, Domain, ParamInfo, Study, StrategyInfo } from "./engine/index.ts";
import type { Folds } from "./folds.ts";
import { foldsOf, foldsTable } from "./folds.ts";
import type { Search } from "./search.ts";
import { EVERY_POINT, searchKeys, searchOf } from "./search.ts";

/** Values of one parameter. */
export type Range =
  | { type: "range"; kind: "int" | "float"; min: number; max: number; step: number }
  | { type: "list"; values: number[] }
  | { type: "flags"; values: boolean[] }
  | { type: "fixed"; value: number | boolean };

export const FILLS = ["next_open", "next_close", "same_close"] as const;
export type Fill = (typeof FILLS)[number];

/** Costs of trading; the names are those of a study. */
export interface Costs {
  /** Commission in basis points of the value traded. */
  bps: number;
  per_share: number;
  per_trade: number;
  slippage_bps: number;
  /** Full spread as a fraction of the price. */
  spread: number;
}

/** Everything that the page lets people change about a study. */
export interface Controls {
  /** Name of a built-in bundle, or a folder or address as the native program would be given it. */
  bundle: string;
  /** The strategy's text. */
  strategy: string;
  ranges: Record<string, Range>;
  /** Conditions over the parameters. */
  where: string[];
  /** All symbols of the bundle if missing. */
  symbols?: string[];
  start?: string;
  end?: string;
  capital: number;
  costs: Costs;
  fill: Fill;
  /** A metric, or an expression over metrics. */
  objective: string;
  /** Conditions over metrics. */
  constraints: string[];
  search: Search;
  /** First session that the search does not see. */
  holdout?: string;
  /** How the searched sessions are divided for a walk-forward; without it there is none. */
  folds?: Folds;
}

/** More trials than this are left to the native program. */
export const MOST_TRIALS = 200_000;
/** The first run of a strategy has at most about so many trials, and so many values along an axis. */
const FIRST_TRIALS = 2_000;
const FIRST_VALUES = 25;

const NO_COSTS: Costs = { bps: 0, per_share: 0, per_trade: 0, slippage_bps: 0, spread: 0 };

/** Controls for a strategy that has just been chosen: its own domains, thinned out where they are too many. */
export function defaultControls(bundle: string, source: string, strategy: StrategyInfo): Controls {
  return {
    bundle,
    strategy: source,
    ranges: defaultRanges(strategy.params),
    where: [],
    capital: 100_000,
    costs: { ...NO_COSTS },
    fill: "next_open",
    objective: "sharpe",
    constraints: [],
    search: { ...EVERY_POINT },
  };
}

/** The controls with another text of the strategy: ranges of parameters that are still there stay. */
export function withStrategy(controls: Controls, source: string, strategy: StrategyInfo): Controls {
  const fresh = defaultRanges(strategy.params);
  const kept = Object.entries(fresh).map(([name, range]) => [name, controls.ranges[name] ?? range] as const);
  return { ...controls, strategy: source, ranges: Object.fromEntries(kept) };
}

function defaultRanges(params: ParamInfo[]): Record<string, Range> {
  const ranges: Record<string, Range> = {};
  let trials = 1;
  let axes = 0;
  for (const { name, domain, default: value } of params) {
    const range = thinned(rangeOf(domain));
    const count = countOf(range);
    const varies = axes < 2 || trials * count <= FIRST_TRIALS;
    ranges[name] = varies ? range : { type: "fixed", value: domain.type === "bool" ? value !== 0 : value };
    if (varies) trials *= count;
    if (varies && count > 1) axes += 1;
  }
  return ranges;
}

/** A parameter's whole domain; a continuous one in ten steps. */
export function rangeOf(domain: Domain): Range {
  switch (domain.type) {
    case "int":
      return { type: "range", kind: "int", min: domain.min, max: domain.max, step: domain.step };
    case "float":
      if (domain.step !== undefined) return { type: "range", kind: "float", min: domain.min, max: domain.max, step: domain.step };
      return { type: "list", values: spread(domain.min, domain.max, domain.scale, 11) };
    case "choice":
      return { type: "list", values: domain.values };
    case "bool":
      return { type: "flags", values: [false, true] };
  }
}

/** `count` numbers from `min` to `max`, rounded to what a person would type. */
function spread(min: number, max: number, scale: "linear" | "log", count: number): number[] {
  const at = (share: number) => (scale === "log" ? min * (max / min) ** share : min + (max - min) * share);
  const inner = Array.from({ length: count }, (_, k) => Number(at(k / (count - 1)).toPrecision(4)));
  return [...new Set([min, ...inner.slice(1, -1), max])];
}

/** The range with a larger step, if it has too many values for a first run. */
function thinned(range: Range): Range {
  const count = countOf(range);
  if (range.type !== "range" || count <= FIRST_VALUES) return range;
  const every = Math.ceil((count - 1) / (FIRST_VALUES - 1));
  const step = decimal(range.step * every);
  return { ...range, step, max: decimal(range.min + step * Math.floor((count - 1) / every)) };
}

/** A sum of decimals without what binary adds to them. */
function decimal(x: number): number {
  return Number(x.toPrecision(12));
}

/** The values of a range, in order, at most as many as the page can try. */
export function valuesOf(range: Range): (number | boolean)[] {
  if (range.type === "fixed") return [range.value];
  if (range.type !== "range") return range.values;
  return Array.from({ length: Math.min(countOf(range), MOST_TRIALS) }, (_, k) => decimal(range.min + k * range.step));
}

/** Points of the space before conditions. */
export function trialCount(controls: Controls): number {
  return Object.values(controls.ranges).reduce((product, range) => product * countOf(range), 1);
}

/** How many values a range has; a little play, because decimal steps are not exact. */
function countOf(range: Range): number {
  if (range.type !== "range") return range.type === "fixed" ? 1 : range.values.length;
  return range.step > 0 ? Math.max(Math.floor((range.max - range.min) / range.step + 1e-6) + 1, 1) : 1;
}

/** The study that the controls mean; what has its default is left out. */
export function toStudy(controls: Controls): Study {
  const costs = Object.entries(controls.costs).filter(([, cost]) => cost !== 0);
  const space = Object.entries(controls.ranges).map(([name, range]) => [name, spaceEntry(range)] as const);
  return {
    bundle: controls.bundle,
    strategy_text: controls.strategy,
    ...(controls.symbols && { symbols: controls.symbols }),
    ...(controls.start !== undefined && { start: controls.start }),
    ...(controls.end !== undefined && { end: controls.end }),
    capital: controls.capital,
    fill: controls.fill,
    ...(costs.length > 0 && { costs: Object.fromEntries(costs) }),
    ...(space.length > 0 && { space: Object.fromEntries(space) }),
    ...(controls.where.length > 0 && { where: controls.where }),
    objective: controls.objective,
    ...(controls.constraints.length > 0 && { constraints: controls.constraints }),
    ...searchKeys(controls.search),
    ...(controls.folds && { folds: foldsTable(controls.folds) }),
  };
}

function spaceEntry(range: Range): unknown {
  switch (range.type) {
    case "range":
      if (range.min === range.max) return range.min;
      return { type: range.kind, min: range.min, max: range.max, step: range.step };
    case "list":
    case "flags":
      return range.values.length === 1 ? range.values[0] : range.values;
    case "fixed":
      return range.value;
  }
}

/** The controls that mean this study; what it does not say has its default. */
export function fromStudy(study: Study, source: string, strategy: StrategyInfo): Controls {
  const controls = defaultControls(study.bundle ?? "mag8", source, strategy);
  const costs = { ...NO_COSTS };
  for (const name of Object.keys(costs) as (keyof Costs)[]) {
    const cost = study.costs?.[name];
    if (typeof cost === "number") costs[name] = cost;
  }
  for (const { name } of strategy.params) {
    const range = readEntry(study.space?.[name]);
    if (range) controls.ranges[name] = range;
  }
  const fill = FILLS.find((known) => known === study.fill);
  const folds = foldsOf(study);
  return {
    ...controls,
    costs,
    where: textsOf(study.where),
    constraints: textsOf(study["constraints"]),
    search: searchOf(study),
    ...(study.symbols && { symbols: study.symbols }),
    ...(study.start !== undefined && { start: study.start }),
    ...(study.end !== undefined && { end: study.end }),
    ...(study.capital !== undefined && { capital: study.capital }),
    ...(fill && { fill }),
    ...(study.objective !== undefined && { objective: study.objective }),
    ...(folds && { folds }),
  };
}

/** A list of texts, which a study may also write as one. */
function textsOf(entry: unknown): string[] {
  if (typeof entry === "string") return [entry];
  return Array.isArray(entry) ? entry.filter((text) => typeof text === "string") : [];
}

function readEntry(entry: unknown): Range | undefined {
  if (typeof entry === "number" || typeof entry === "boolean") return { type: "fixed", value: entry };
  if (Array.isArray(entry)) {
    if (entry.every((value) => typeof value === "number")) return { type: "list", values: entry };
    if (entry.every((value) => typeof value === "boolean")) return { type: "flags", values: entry };
    return undefined;
  }
  if (typeof entry !== "object" || entry === null) return undefined;
  return rangeOf(entry as Domain);
}

/** The controls held against a bundle: symbols and dates that it does not have go. */
export function fitTo(controls: Controls, info: BundleInfo): Controls {
  const { symbols, start, end, holdout, ...rest } = controls;
  const known = symbols?.filter((symbol) => info.symbols.some((entry) => entry.symbol === symbol));
  const first = info.symbols.map((entry) => entry.first).toSorted()[0] ?? "";
  const last = info.symbols.map((entry) => entry.last).toSorted().at(-1) ?? "";
  const inside = (date: string | undefined) => date !== undefined && date >= first && date <= last;
  return {
    ...rest,
    ...(known && known.length > 0 && { symbols: known }),
    ...(inside(start) && start !== undefined && { start }),
    ...(inside(end) && end !== undefined && { end }),
    ...(inside(holdout) && holdout !== undefined && { holdout }),
  };
}

/** What runs the study with the native program, beside the exported `study.toml`. */
export function nativeCommand(name: string): string {
  return `sandtable optimize study.toml --out ${folderName(name)}`;
}

/** The same with the study in it, to paste into a shell. */
export function nativeScript(name: string, toml: string): string {
  // A quoted delimiter keeps the shell from reading anything in the text; it must not be a line of it.
  let end = "STUDY";
  while (toml.split("\n").includes(end)) end += "_";
  return `cat > study.toml <<'${end}'\n${toml.trimEnd()}\n${end}\n${nativeCommand(name)}\n`;
}

/** A name that needs no quotation marks in any shell. */
function folderName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "") || "study";
}
