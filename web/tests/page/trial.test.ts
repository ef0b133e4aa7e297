// Selecting a trial, and comparing two.

import { after, expect, finalFrame, setControl, test } from "./fixtures.ts";

test("the best trial is shown, a click selects another, arrow keys move on, and two can be compared", async ({ page, host }) => {
  await page.goto((await host()).url);
  await finalFrame(page);
  const panel = page.getByTestId("trial-panel");
  await expect(panel).toBeVisible();
  const heatmap = page.getByTestId("heatmap");
  await heatmap.scrollIntoViewIfNeeded();
  const box = await heatmap.boundingBox();
  if (!box) throw new Error("the heatmap has no place");
  const before = await panel.innerText();
  await heatmap.click({ position: { x: box.width * 0.7, y: box.height * 0.4 } });
  await expect.poll(() => panel.innerText()).not.toBe(before);
  const clicked = await panel.innerText();
  await page.keyboard.press("ArrowRight");
  await expect.poll(() => panel.innerText()).not.toBe(clicked);
  await page.getByTestId("pin-button").click();
  await heatmap.click({ position: { x: box.width * 0.3, y: box.height * 0.6 } });
  await expect(page.getByTestId("compare-panel")).toBeVisible();
});

test("a selected trial stays selected while a slider moves", async ({ page, host }) => {
  await page.goto((await host()).url);
  await finalFrame(page);
  const heatmap = page.getByTestId("heatmap");
  await heatmap.scrollIntoViewIfNeeded();
  const box = await heatmap.boundingBox();
  if (!box) throw new Error("the heatmap has no place");
  await heatmap.click({ position: { x: box.width * 0.6, y: box.height * 0.5 } });
  const shown = () => page.getByTestId("trial-panel").getByTestId("trial-params").innerText();
  const chosen = await shown();
  await after(page, () => setControl(page, "commission", "12"));
  expect(await shown()).toBe(chosen);
});
