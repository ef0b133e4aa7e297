import { expect, test } from "@playwright/test";
import type { BundleInfo, PlanInfo, StrategyInfo } from "../../src/engine/index.ts";
import { dateBetween, heldOut, searched } from "../../src/holdout.ts";
import { EVERY_POINT, reachOf, trialsOf } from "../../src/search.ts";
import { defaultControls, fitTo, fromStudy, nativeCommand, nativeScript, rangeOf, toStudy, trialCount, valuesOf, withStrategy } from "../../src/study.ts";

const SMA: StrategyInfo = {
  name: "sma_cross",
  description: "",
  columns: [],
  rules: "target",
  params: [
    { name: "fast", domain: { type: "int", min: 5, max: 100, step: 5 }, default: 20 },
    { name: "slow", domain: { type: "int", min: 22, max: 212, step: 10 }, default: 52 },
  ],
};

const HEAVY: StrategyInfo = {
  ...SMA,
  params: [
    { name: "fast", domain: { type: "int", min: 5, max: 50, step: 5 }, default: 20 },
    { name: "slow", domain: { type: "int", min: 50, max: 200, step: 15 }, default: 110 },
    { name: "threshold", domain: { type: "float", min: 0.01, max: 10, step: 0.01, scale: "linear" }, default: 4 },
    { name: "scaling", domain: { type: "choice", values: [5, 10, 15] }, default: 10 },
    { name: "shorts", domain: { type: "bool" }, default: 1 },
  ],
};

test("a strategy's own 20 × 20 domain is what runs first", () => {
  expect(trialCount(defaultControls("mag8", "text", SMA))).toBe(400);
});

test("a first run stays small, and what does not vary has its default", () => {
  const controls = defaultControls("mag8", "text", HEAVY);
  expect(trialCount(controls)).toBeLessThanOrEqual(2_000);
  expect(controls.ranges["threshold"]).toEqual({ type: "fixed", value: 4 });
});

test("values of decimal ranges are decimals", () => {
  const values = valuesOf({ type: "range", kind: "float", min: 0.1, max: 1, step: 0.1 });
  expect(values).toEqual([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]);
});

test("a continuous domain gets a few values, its ends among them", () => {
  const values = valuesOf(rangeOf({ type: "float", min: 0.001, max: 10, scale: "log" }));
  expect(values).toHaveLength(11);
  expect([values[0], values.at(-1)]).toEqual([0.001, 10]);
});

test("controls to study and back", () => {
  const controls = {
    ...defaultControls("mag8", "text", HEAVY),
    symbols: ["AAA", "BBB"],
    start: "2010-01-04",
    capital: 50_000,
    fill: "same_close" as const,
    where: ["fast < slow"],
    costs: { bps: 5, per_share: 0, per_trade: 1, slippage_bps: 2, spread: 0.001 },
    objective: "sharpe - 0.5 * abs(max_drawdown)",
    constraints: ["trades >= 30"],
    search: { method: "cma-es" as const, trials: 300, seed: 4 },
    folds: { scheme: "anchored" as const, train: 3, test: 1 },
  };
  expect(fromStudy(toStudy(controls), "text", HEAVY)).toEqual(controls);
});

test("a study says nothing of costs that are zero", () => {
  expect(toStudy(defaultControls("mag8", "text", SMA))).not.toHaveProperty("costs");
});

test("an edited strategy keeps the ranges of parameters that it still has", () => {
  const before = defaultControls("mag8", "text", SMA);
  before.ranges["fast"] = { type: "fixed", value: 7 };
  const after = withStrategy(before, "other", HEAVY);
  expect(after.ranges["fast"]).toEqual({ type: "fixed", value: 7 });
  expect(Object.keys(after.ranges)).toEqual(HEAVY.params.map((param) => param.name));
});

test("another bundle takes away symbols and dates that it does not have", () => {
  const symbol = (name: string) => ({ symbol: name, first: "2001-01-02", last: "2020-12-31", rows: 1 });
  const info = { symbols: [symbol("AAA"), symbol("CCC")] } as BundleInfo;
  const controls = { ...defaultControls("x", "text", SMA), symbols: ["AAA", "BBB"], start: "1999-01-01", end: "2010-01-04" };
  const fitted = fitTo(controls, info);
  expect(fitted.symbols).toEqual(["AAA"]);
  expect(fitted.start).toBeUndefined();
  expect(fitted.end).toBe("2010-01-04");
});

test("the native command needs no quotation marks, and its script keeps the study's text", () => {
  expect(nativeCommand("SMA cross; rm -rf $HOME")).toBe("sandtable optimize study.toml --out sma-cross-rm-rf-home");
  const script = nativeScript("x", 'name = "$HOME"\nSTUDY\n');
  expect(script).toBe(`cat > study.toml <<'STUDY_'\nname = "$HOME"\nSTUDY\nSTUDY_\nsandtable optimize study.toml --out x\n`);
});

test("a grid needs no keys of a search, and other methods try at most their number of trials", () => {
  expect(toStudy(defaultControls("mag8", "text", SMA))).not.toHaveProperty("search");
  expect(trialsOf(EVERY_POINT, 400)).toBe(400);
  expect(trialsOf({ method: "tpe", trials: 120, seed: 0 }, 400)).toBe(120);
  expect(trialsOf({ method: "tpe", trials: 500, seed: 0 }, 400)).toBe(400);
  expect(reachOf(EVERY_POINT, 1)).toBe("trial");
  expect(reachOf({ method: "tpe", trials: 1200, seed: 0 }, 4000)).toBe("points, at most 1,200 tried");
  expect(reachOf({ method: "bohb", trials: 120, seed: 0 }, 400)).toBe("points, as many bars as 120 trials");
});

test("a date cuts the study into what is searched and one backtest on the rest", () => {
  const controls = { ...defaultControls("mag8", "text", SMA), where: ["fast < slow"], holdout: "2016-03-01", end: "2020-06-30" };
  expect(searched(controls).end).toBe("2016-02-29");
  const params = [{ name: "fast", kind: "int", values: [5, 10] }, { name: "slow", kind: "int", values: [22, 32] }];
  const rest = heldOut(controls, { params } as PlanInfo, [10, 32]);
  expect([rest?.start, rest?.end, rest && trialCount(rest)]).toEqual(["2016-03-01", "2020-06-30", 1]);
  expect(rest?.ranges).toEqual({ fast: { type: "fixed", value: 10 }, slow: { type: "fixed", value: 32 } });
  expect(rest && toStudy(rest)).not.toHaveProperty("where");
  expect(heldOut(defaultControls("mag8", "text", SMA), { params } as PlanInfo, [10, 32])).toBeUndefined();
});

test("folds are the lengths of a study; others than whole years are not the page's", () => {
  const controls = { ...defaultControls("mag8", "text", SMA), folds: { scheme: "rolling" as const, train: 4, test: 1 } };
  expect(toStudy(controls)["folds"]).toEqual({ scheme: "rolling", train: "4 years", test: "1 year" });
  expect(toStudy(defaultControls("mag8", "text", SMA))).not.toHaveProperty("folds");
  for (const folds of [{ scheme: "k-fold" }, { train: 500, test: "1 year" }, { train: "18 months", test: "1 year" }]) {
    expect(fromStudy({ folds }, "text", SMA).folds).toBeUndefined();
  }
  expect(fromStudy({ folds: { train: "2 years", test: "1 year" } }, "text", SMA).folds).toEqual({ scheme: "rolling", train: 2, test: 1 });
});

test("the default split is inside the dates", () => {
  expect(dateBetween("2010-01-01", "2020-01-01", 0.5)).toBe("2015-01-01");
  expect(dateBetween("2010-01-01", "2020-01-01", 0)).toBe("2010-01-01");
});
