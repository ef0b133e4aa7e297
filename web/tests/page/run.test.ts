// The grid that runs by itself, and what people do to it.

import { after, dragControl, expect, finalFrame, setControl, test } from "./fixtures.ts";

test("the first heatmap comes without a click, from this machine alone", async ({ page, host }) => {
  const { url } = await host();
  const elsewhere: string[] = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !/^(blob|data):/.test(request.url())) elsewhere.push(request.url());
  });
  await page.goto(url);
  const { trials, cells } = await finalFrame(page);
  expect(trials).toBe(400);
  expect(cells).toHaveLength(400);
  expect(cells.every(Number.isFinite)).toBe(true);
  await expect(page.getByTestId("heatmap")).toBeVisible();
  await expect(page.getByTestId("status")).toBeVisible();
  expect(elsewhere).toEqual([]);
});

test("the heatmap is a picture, not one colour", async ({ page, host }) => {
  await page.goto((await host()).url);
  await finalFrame(page);
  const colours = await page.getByTestId("heatmap").evaluate((element) => {
    const canvas = element instanceof HTMLCanvasElement ? element : element.querySelector("canvas");
    const context = canvas?.getContext("2d");
    if (!canvas || !context) return 0;
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
  });
  expect(colours).toBeGreaterThan(20);
});

test("a cost slider runs the grid again", async ({ page, host }) => {
  await page.goto((await host()).url);
  const first = await finalFrame(page);
  const second = await after(page, () => setControl(page, "commission", "20"));
  expect(second.trials).toBe(400);
  expect(second.id).not.toBe(first.id);
  expect(second.cells).not.toEqual(first.cells);
  const third = await after(page, () => setControl(page, "commission", "0"));
  expect(third.id).toBe(first.id);
  expect(third.cells).toEqual(first.cells);
});

test("moves that come faster than runs end with the last one", async ({ page, host }) => {
  await page.goto((await host()).url);
  await finalFrame(page);
  const alone = await after(page, () => setControl(page, "commission", "30"));
  await dragControl(page, "commission", Array.from({ length: 30 }, (_, k) => String(k + 1)));
  const shown = () => page.evaluate(() => (window.sandtable.frame.final ? window.sandtable.frame.plan.id : ""));
  await page.waitForTimeout(300);
  await expect.poll(shown).toBe(alone.id);
});

test("another metric and other axes need no new run", async ({ page, host }) => {
  await page.goto((await host()).url);
  const first = await finalFrame(page);
  const metric = await after(page, () => page.getByTestId("metric-select").selectOption("max_drawdown"));
  expect(metric.id).toBe(first.id);
  expect(metric.cells).not.toEqual(first.cells);
});
