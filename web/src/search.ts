// How a study's points are searched, and which sessions are kept from the search: the page's settings and the study's keys.
//
// What is here is plain data; it never knows how a method works, nor how a setting is shown.

import type { Study } from "./engine/index.ts";

/** The methods that a page offers, under the names of the key `search.method`. */
export const METHODS = ["grid", "random", "lhs", "sobol", "halton", "tpe", "gp", "cma-es", "de", "ga", "local", "hyperband", "bohb"] as const;
export type Method = (typeof METHODS)[number];

export interface Search {
  method: Method;
  /** Most trials of a method that does not try every point; of one that tries points on parts of the sessions, as many bars. */
  trials: number;
  /** Of every random draw, of the search and of its judgement. */
  seed: number;
}

/** Every point; the rest is what a study has by default. */
export const EVERY_POINT: Search = { method: "grid", trials: 200, seed: 0 };

/** What each method is, for people. */
export const METHOD_TITLES: Record<Method, string> = {
  grid: "grid: every point",
  random: "random",
  lhs: "Latin hypercube",
  sobol: "Sobol sequence",
  halton: "Halton sequence",
  tpe: "TPE (Parzen estimator)",
  gp: "Gaussian process",
  "cma-es": "CMA-ES",
  de: "differential evolution",
  ga: "genetic algorithm",
  local: "local refinement",
  hyperband: "Hyperband",
  bohb: "BOHB (Hyperband that learns)",
};

/** Trials of a space with so many points; of a method that tries points on parts of the sessions, what their bars come to. */
export function trialsOf(search: Search, points: number): number {
  return search.method === "grid" ? points : Math.min(search.trials, points);
}

/** How many of a space's points a search tries, in words. */
export function reachOf(search: Search, points: number): string {
  const trials = trialsOf(search, points).toLocaleString("en-US");
  switch (search.method) {
    case "grid":
      return points === 1 ? "trial" : "trials";
    case "hyperband":
    case "bohb":
      return `points, as many bars as ${trials} trials`;
    default:
      return `points, at most ${trials} tried`;
  }
}

/** The keys of a study; what has its default is left out. */
export function searchKeys({ method, trials, seed }: Search): { search?: { method: Method; trials: number }; seed?: number } {
  return {
    ...(method !== "grid" && { search: { method, trials } }),
    ...(seed !== 0 && { seed }),
  };
}

/** The search that a study sets; what it does not say has its default. */
export function searchOf(study: Study): Search {
  const { search, seed } = study;
  const table = (typeof search === "object" && search !== null ? search : {}) as Record<string, unknown>;
  const method = METHODS.find((known) => known === table["method"]);
  return {
    method: method ?? EVERY_POINT.method,
    trials: typeof table["trials"] === "number" ? table["trials"] : EVERY_POINT.trials,
    seed: typeof seed === "number" ? seed : EVERY_POINT.seed,
  };
}

/** Whether a value from outside is a search. */
export function isSearch(value: unknown): value is Search {
  if (typeof value !== "object" || value === null) return false;
  const { method, trials, seed } = value as Record<string, unknown>;
  return METHODS.some((known) => known === method) && [trials, seed].every((number) => Number.isSafeInteger(number) && Number(number) >= 0);
}
