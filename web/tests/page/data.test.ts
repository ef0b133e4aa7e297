// Data from elsewhere: dropped files, and bundles on a server that are read by ranges.

import { after, expect, finalFrame, dropFiles, test } from "./fixtures.ts";
import type { Page } from "@playwright/test";

/** Opens a bundle by address and runs a study of two of its eight symbols; what the run read. */
async function runSlice(page: Page, url: string): Promise<{ bytesRead: number; bytesFromStore: number; trials: number }> {
  return page.evaluate(async (url) => {
    const { engine } = window.sandtable;
    const { info } = await engine.open({ kind: "url", url });
    const symbols = info.symbols.slice(0, 2).map(({ symbol }) => symbol);
    const strategy_text = engine.catalog.gallery.find(({ name }) => name === "sma_cross")?.source ?? "";
    const show = engine.onFrame;
    const final = new Promise<typeof window.sandtable.frame>((resolve, reject) => {
      engine.onFrame = (frame) => frame.final && resolve(frame);
      engine.onError = reject;
    });
    engine.explore({ strategy_text, symbols }, { metric: "sharpe", aggregate: "best", fixed: {} });
    const { stats, progress } = await final;
    engine.onFrame = show;
    return { bytesRead: stats.bytesRead, bytesFromStore: stats.bytesFromStore, trials: progress.trials };
  }, url);
}

test("a dropped Parquet file becomes the bundle", async ({ page, host, folder }) => {
  await page.goto((await host()).url);
  await finalFrame(page);
  const bars = folder.files.find(({ name }) => /^bars.*\.parquet$/.test(name));
  if (!bars) throw new Error("the bundle has no bars");
  const { trials } = await after(page, () => dropFiles(page, [{ name: "prices.parquet", bytes: bars.bytes }]));
  expect(trials).toBe(400);
});

test("a dropped bundle folder opens", async ({ page, host, folder }) => {
  await page.goto((await host()).url);
  const first = await finalFrame(page);
  const { cells } = await after(page, () => dropFiles(page, folder.files));
  expect(cells).toEqual(first.cells);
});

test("a broken file gets a sentence, and the page goes on as before", async ({ page, host }) => {
  await page.goto((await host()).url);
  const first = await finalFrame(page);
  await dropFiles(page, [{ name: "broken.parquet", bytes: new TextEncoder().encode("PAR1 this is no Parquet file PAR1") }]);
  await expect(page.getByTestId("notice").filter({ hasText: "broken.parquet" })).toBeVisible();
  expect(await page.evaluate(() => window.sandtable.frame.plan.id)).toBe(first.id);
  await expect(page.getByTestId("heatmap")).toBeVisible();
});

test("a slice of two of eight symbols downloads less than 40 % of the bundle, and nothing twice", async ({ page, host, folder }) => {
  const server = await host();
  await page.goto(server.url);
  await finalFrame(page);
  const address = `${server.url}bundles/mag8.bundle/`;
  const first = await runSlice(page, address);
  expect(first.trials).toBe(400);
  const served = () => server.log.filter(({ path }) => path.startsWith("/bundles/"));
  const ranges = served().filter(({ path }) => path.endsWith(".parquet"));
  expect(ranges.length).toBeGreaterThan(0);
  expect(ranges.every(({ status }) => status === 206)).toBe(true);
  const whole = folder.files.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const downloaded = served().reduce((sum, { bytes }) => sum + bytes, 0);
  expect(downloaded / whole).toBeLessThan(0.4);
  expect(first.bytesRead).toBe(downloaded);
  // The next visit: only the manifest comes over the network.
  await page.reload();
  await finalFrame(page);
  server.log.length = 0;
  const second = await runSlice(page, address);
  expect(second.trials).toBe(400);
  expect(second.bytesFromStore).toBeGreaterThan(0);
  expect(served().map(({ path }) => path)).toEqual(["/bundles/mag8.bundle/manifest.json"]);
});

test("a server that ignores ranges is noticed, and each file is fetched once", async ({ page, host }) => {
  const server = await host({ ranges: false });
  await page.goto(server.url);
  await finalFrame(page);
  const { trials } = await runSlice(page, `${server.url}bundles/mag8.bundle`);
  expect(trials).toBe(400);
  const parquet = server.log.filter(({ path }) => path.startsWith("/bundles/") && path.endsWith(".parquet"));
  expect(parquet.map(({ status }) => status)).toEqual(parquet.map(() => 200));
  expect(new Set(parquet.map(({ path }) => path)).size).toBe(parquet.length);
});

test("an address without a bundle gets a sentence", async ({ page, host }) => {
  const { url } = await host();
  await page.goto(url);
  await finalFrame(page);
  const opened = page.evaluate((url) => window.sandtable.engine.open({ kind: "url", url }).then(() => "", (error: Error) => error.message), `${url}nothing.bundle`);
  expect(await opened).toMatch(/nothing\.bundle\/manifest\.json: the server answered 404/);
});
