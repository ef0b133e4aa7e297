// How the sessions of a search are divided into training and test: the page's settings and the study's table `[folds]`.
//
// What is here is plain data; it never knows what came out of a fold.

import type { Study } from "./engine/index.ts";

/** The divisions that a page offers, under the names of the key `folds.scheme`. */
export const SCHEMES = ["rolling", "anchored"] as const;
export type Scheme = (typeof SCHEMES)[number];

/** Training moves on with the test that follows it, or grows from the first session on. */
export interface Folds {
  scheme: Scheme;
  /** Years of training; of an anchored walk, of the first one. */
  train: number;
  /** Years of a test, and how far a step goes. */
  test: number;
}

/** What a walk is unless somebody says otherwise. */
export const USUAL_FOLDS: Folds = { scheme: "rolling", train: 4, test: 2 };

/** What each division is, for people. */
export const SCHEME_TITLES: Record<Scheme, string> = { rolling: "rolling", anchored: "anchored" };

/** Longest training or test that can be set, in years. */
export const MOST_YEARS = 50;

/** The table of a study. */
export function foldsTable({ scheme, train, test }: Folds): { scheme: Scheme; train: string; test: string } {
  return { scheme, train: years(train), test: years(test) };
}

/** The folds that a study sets, where they are ones that the page can show. */
export function foldsOf(study: Study): Folds | undefined {
  const table = study["folds"];
  if (typeof table !== "object" || table === null) return undefined;
  const { scheme = "rolling", train, test } = table as Record<string, unknown>;
  const folds = { scheme, train: read(train), test: read(test) };
  return isFolds(folds) ? folds : undefined;
}

/** Whether a value from outside is folds. */
export function isFolds(value: unknown): value is Folds {
  if (typeof value !== "object" || value === null) return false;
  const { scheme, train, test } = value as Record<string, unknown>;
  const whole = (number: unknown) => Number.isInteger(number) && Number(number) >= 1 && Number(number) <= MOST_YEARS;
  return SCHEMES.some((known) => known === scheme) && whole(train) && whole(test);
}

function years(count: number): string {
  return count === 1 ? "1 year" : `${count} years`;
}

function read(length: unknown): number {
  const [, count] = /^(\d+) years?$/.exec(String(length)) ?? [];
  return count === undefined ? NaN : Number(count);
}
