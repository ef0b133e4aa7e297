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
