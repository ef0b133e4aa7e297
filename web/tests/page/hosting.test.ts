// Hosts with and without the headers that threads need, and no host at all.

import { availableParallelism } from "node:os";
import { expect, finalFrame, test } from "./fixtures.ts";

const SEVERAL = availableParallelism() > 1;

test("with the headers, all cores work", async ({ page, host }) => {
  await page.goto((await host()).url);
  const { cores } = await finalFrame(page);
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  if (SEVERAL) expect(cores).toBeGreaterThan(1);
});

test("without the headers, the service worker adds them after one reload", async ({ page, host }) => {
  const { url } = await host({ isolated: false });
  let loads = 0;
  page.on("load", () => (loads += 1));
  await page.goto(url);
  await page.waitForFunction(() => crossOriginIsolated);
  const { cores } = await finalFrame(page);
  if (SEVERAL) expect(cores).toBeGreaterThan(1);
  await page.waitForTimeout(1_000);
  expect(loads).toBe(2);
});

test.describe("without service workers", () => {
  test.use({ serviceWorkers: "block" });

  test("and without the headers, one core does the same work", async ({ page, host }) => {
    await page.goto((await host()).url);
    const isolated = await finalFrame(page);
    await page.goto((await host({ isolated: false })).url);
    const plain = await finalFrame(page);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
    expect(plain.cores).toBe(1);
    expect(plain.id).toBe(isolated.id);
    expect(plain.cells).toEqual(isolated.cells);
  });
});

test("after the first visit the page works without its server", async ({ page, host }) => {
  const server = await host();
  await page.goto(server.url);
  await finalFrame(page);
  await page.waitForFunction(async () => (await navigator.serviceWorker.ready).active?.state === "activated" && navigator.serviceWorker.controller !== null);
  await server.close();
  await page.reload();
  const { trials, cores } = await finalFrame(page);
  expect(trials).toBe(400);
  if (SEVERAL) expect(cores).toBeGreaterThan(1);
});
