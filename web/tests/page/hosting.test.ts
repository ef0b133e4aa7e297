// Hosts with and without the headers that threads need, and no host at all.

import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
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
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await server.close();
  await page.reload();
  const { trials, cores } = await finalFrame(page);
  expect(trials).toBe(400);
  if (SEVERAL) expect(cores).toBeGreaterThan(1);
});

test("a newer build replaces the older one at the next load", async ({ page, host }, testInfo) => {
  const dist = testInfo.outputPath("dist");
  cpSync(resolve(import.meta.dirname, "../../dist"), dist, { recursive: true });
  const edit = (file: string, change: (text: string) => string) => writeFileSync(join(dist, file), change(readFileSync(join(dist, file), "utf8")));
  const { url } = await host({ dist });
  await page.goto(url);
  await finalFrame(page);
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  const before = await page.evaluate(() => caches.keys());
  edit("index.html", (html) => html.replace("<head>", '<head><meta name="edition" content="second">'));
  edit("sw.js", (script) => script.replace(/(CACHE = PREFIX \+ ")\w/, "$1z"));
  await page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    await registration.update();
  });
  await expect.poll(() => page.evaluate(async () => (await navigator.serviceWorker.ready).waiting?.state)).toBe("installed");
  await page.reload();
  await expect(page.locator('meta[name="edition"]')).toHaveCount(1);
  await finalFrame(page);
  const pages = (names: string[]) => names.filter((name) => name.startsWith("sandtable-page-"));
  expect(pages(await page.evaluate(() => caches.keys()))).toHaveLength(1);
  expect(pages(await page.evaluate(() => caches.keys()))).not.toEqual(pages(before));
});
