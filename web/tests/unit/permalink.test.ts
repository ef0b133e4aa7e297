import { expect, test } from "@playwright/test";
import { differences, fromHash, type Linked, toHash } from "../../src/permalink.ts";

const STATE: Linked = {
  controls: {
    bundle: "mag8",
    strategy: 'name = "x"\n[rules]\ntarget = "1 / n_symbols" # ≥ 1 €\n'.repeat(20),
    ranges: {
      fast: { type: "range", kind: "int", min: 5, max: 100, step: 5 },
      width: { type: "list", values: [0.5, 1, 2] },
      flag: { type: "flags", values: [false, true] },
      slow: { type: "fixed", value: 52 },
    },
    where: ["fast < slow"],
    start: "2010-01-04",
    capital: 1e5,
    costs: { bps: 5, per_share: 0, per_trade: 0, slippage_bps: 0, spread: 0 },
    fill: "next_open",
    objective: "sharpe - 0.5 * abs(max_drawdown)",
    constraints: ["trades >= 30"],
    search: { method: "tpe", trials: 120, seed: 7 },
    holdout: "2016-01-04",
    folds: { scheme: "rolling", train: 4, test: 2 },
  },
  view: { x: "fast", y: "slow", metric: "sharpe", aggregate: "best", fixed: { width: 1 } },
  selected: 17,
  bundle: { kind: "builtIn", name: "mag8" },
  made: { version: "0.1.0", engineFormat: 3, bundleVersion: "ab".repeat(32), runId: "cd".repeat(32) },
};

test("state to address and back", async () => {
  const hash = await toHash(STATE);
  expect(hash).toMatch(/^1\.[\w-]+$/);
  expect(hash.length).toBeLessThan(JSON.stringify(STATE).length);
  expect(await fromHash(`#${hash}`)).toEqual(STATE);
});

test("an address without a link is no error", async () => {
  for (const hash of ["", "#", "#top", "#1.", "#1.%20"]) expect(await fromHash(hash)).toBeUndefined();
});

test("a damaged link says so", async () => {
  const hash = await toHash(STATE);
  await expect(fromHash(hash.slice(0, -20))).rejects.toThrow(/link cannot be read/);
  await expect(fromHash("1.AAAA")).rejects.toThrow(/link cannot be read/);
  await expect(fromHash(hash.replace(/^1/, "7"))).rejects.toThrow(/format 7/);
});

test("a link that holds something else is refused", async () => {
  const broken = [{}, [], 1, { ...STATE, made: {} }, { ...STATE, view: { metric: 1 } }, { ...STATE, controls: { ...STATE.controls, ranges: { fast: { type: "range" } } } }];
  for (const state of broken) {
    await expect(fromHash(await toHash(state as Linked))).rejects.toThrow(/does not hold a study/);
  }
});

test("a small link cannot unfold into a large state", async () => {
  const huge = { ...STATE, controls: { ...STATE.controls, strategy: "a".repeat(5_000_000) } };
  const hash = await toHash(huge);
  expect(hash.length).toBeLessThan(20_000);
  await expect(fromHash(hash)).rejects.toThrow(/more than 1048576 bytes/);
});

test("what differs is told apart", () => {
  const { made } = STATE;
  expect(differences(made, made)).toEqual([]);
  expect(differences(made, { ...made, engineFormat: 4 }).map((d) => d.what)).toEqual(["engine"]);
  expect(differences(made, { ...made, bundleVersion: "00", runId: "11" }).map((d) => d.what)).toEqual(["bundle", "run"]);
});

test("a link that is older than searches and constraints means a grid without any", async () => {
  const { constraints: _, search: __, holdout: ___, folds: ____, ...controls } = STATE.controls;
  const read = await fromHash(await toHash({ ...STATE, controls } as Linked));
  expect(read?.controls.search).toEqual({ method: "grid", trials: 200, seed: 0 });
  expect(read?.controls.constraints).toEqual([]);
  expect(read?.controls.holdout).toBeUndefined();
});

test("a link with a search, a condition or a date that is none does not hold a study", async () => {
  for (const part of [{ search: { method: "magic", trials: 1, seed: 0 } }, { constraints: [1] }, { holdout: "2016-99-99" }, { folds: { scheme: "rolling", train: 0, test: 1 } }]) {
    const state = { ...STATE, controls: { ...STATE.controls, ...part } } as unknown as Linked;
    await expect(fromHash(await toHash(state))).rejects.toThrow(/does not hold a study/);
  }
});
