// The verdict on a run, and the chosen trial on sessions that the search did not see.

import type { Page } from "@playwright/test";
import { after, expect, finalFrame, setControl, test } from "./fixtures.ts";

const verdictOf = (page: Page) => page.getByTestId("verdict");

test("a run is judged when it has ended, and again when a slider has moved", async ({ page, host }) => {
  await page.goto((await host()).url);
  const first = await finalFrame(page);
  await expect(verdictOf(page)).toHaveAttribute("data-run", first.id);
  await expect(page.getByTestId("verdict-sentence")).toContainText("of 400 trials");
  await expect(page.getByTestId("verdict-figures")).toContainText("independent trials");
  const before = await page.getByTestId("verdict-sentence").innerText();
  const second = await after(page, () => setControl(page, "commission", "40"));
  await expect(verdictOf(page)).toHaveAttribute("data-run", second.id);
  expect(await page.getByTestId("verdict-sentence").innerText()).not.toBe(before);
});

test("the picture does not wait for the verdict", async ({ page, host }) => {
  await page.goto((await host()).url);
  const { id } = await finalFrame(page);
  // The first picture is complete, and the pause before judging has not passed.
  expect(await verdictOf(page).getAttribute("data-run")).toBeNull();
  await expect(verdictOf(page)).toHaveAttribute("data-run", id);
});

test("a trial is tested on the sessions that the search did not see", async ({ page, host }) => {
  await page.goto((await host()).url);
  const whole = await finalFrame(page);
  const searched = await after(page, () => page.getByTestId("hold-out").click());
  expect(searched.id).not.toBe(whole.id);
  const table = page.getByTestId("held-out");
  await expect(table).toHaveAttribute("data-key", new RegExp(searched.id));
  await expect(table.locator("tbody tr")).toHaveCount(2);
  await expect(table.locator("tbody tr").nth(1).locator("td").last()).toHaveText(/believable|doubtful|overfit|no edge/);
  const split = await page.getByTestId("control-holdout").inputValue();
  expect(await page.evaluate(() => window.sandtable.frame.plan.end)).toMatch(/^\d{4}-\d{2}-\d{2}$/);
  expect((await page.evaluate(() => window.sandtable.frame.plan.end)) < split).toBe(true);
  // The engine says the same of the same backtest: the page adds nothing of its own.
  const tested = await page.evaluate(async (split) => {
    const { engine, frame } = window.sandtable;
    const best = frame.top[0];
    if (!best) throw new Error("no trial");
    const strategy_text = engine.catalog.gallery.find(({ name }) => name === "sma_cross")?.source ?? "";
    const space = Object.fromEntries(frame.plan.params.map(({ name }, i) => [name, best.params[i]]));
    const { trial, plan } = await engine.backtest({ bundle: "mag8", strategy_text, space, start: split });
    return { sharpe: trial.metrics[engine.catalog.metrics.findIndex(({ name }) => name === "sharpe")] ?? NaN, start: plan.start, warmup: plan.warmupBars };
  }, split);
  expect(tested.start >= split).toBe(true);
  expect(tested.warmup).toBeGreaterThan(0);
  await expect(table.locator("tbody tr").nth(1)).toContainText(Math.abs(tested.sharpe).toFixed(3));
  // The current run stayed.
  expect(await page.evaluate(() => window.sandtable.frame.plan.id)).toBe(searched.id);
  // Another trial is tested as soon as it is chosen.
  const before = await table.getAttribute("data-key");
  await page.getByTestId("heatmap").scrollIntoViewIfNeeded();
  await page.getByTestId("heatmap").focus();
  await page.keyboard.press("ArrowRight");
  await expect.poll(() => table.getAttribute("data-key")).not.toBe(before);
  await after(page, () => page.getByRole("button", { name: "Hold nothing out" }).click());
  await expect(table).toHaveCount(0);
});

test("each training's choice is tested on the years after it", async ({ page, host }) => {
  await page.goto((await host()).url);
  await finalFrame(page);
  const { id } = await after(page, () => page.getByTestId("walk-forward").click());
  const walk = page.getByTestId("walk");
  await expect(walk).toHaveAttribute("data-run", id);
  const rows = walk.locator("tbody tr");
  const count = await rows.count();
  expect(count).toBeGreaterThan(8);
  await expect(walk.locator("tfoot tr")).toContainText("all tests");
  await expect(page.getByTestId("walk-efficiency")).toContainText(/training/);
  // A run over the dates of a training alone chooses the same trial.
  const [, train] = await rows.nth(1).locator("th, td").allTextContents();
  const [start, end] = (train ?? "").split(" to ");
  const chosen = await rows.nth(1).locator("td").nth(1).textContent();
  const best = await page.evaluate(async ({ start, end }) => {
    const { engine } = window.sandtable;
    const strategy_text = engine.catalog.gallery.find(({ name }) => name === "sma_cross")?.source ?? "";
    const study = { bundle: "mag8", strategy_text, start, end };
    const page = engine.onFrame;
    const final = new Promise<typeof window.sandtable.frame>((resolve) => (engine.onFrame = (frame) => frame.final && resolve(frame)));
    engine.explore(study, { metric: "sharpe", aggregate: "best", fixed: {} });
    const frame = await final;
    engine.onFrame = page;
    return frame.top[0]?.params[0];
  }, { start: start ?? "", end: end ?? "" });
  expect(String(best)).toBe(chosen);
});

test("folds that do not fit say why, and a walk can be taken back", async ({ page, host }) => {
  await page.goto((await host()).url);
  const first = await finalFrame(page);
  await after(page, () => page.getByTestId("walk-forward").click());
  await after(page, () => setControl(page, "commission", "3"));
  await page.getByTestId("walk-train").fill("40");
  await expect(page.getByTestId("walk-error")).toContainText(/train|session|fold/);
  await page.getByTestId("walk-scheme").selectOption("anchored");
  await page.getByTestId("walk-train").fill("10");
  await expect(page.getByTestId("walk").locator("tbody tr").first().locator(".dates")).toContainText(" to ");
  await after(page, () => page.getByRole("button", { name: "No walk-forward" }).click());
  await expect(page.getByTestId("walk")).toHaveCount(0);
  const back = await after(page, () => setControl(page, "commission", "0"));
  expect(back.id).toBe(first.id);
});
