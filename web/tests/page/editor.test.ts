// Editing a strategy into an error and out of it.

import { after, expect, finalFrame, test } from "./fixtures.ts";

test("an error stands under its word, the run before stays, and the mended text runs", async ({ page, host }) => {
  await page.goto((await host()).url);
  const first = await finalFrame(page);
  const text = page.getByTestId("editor").locator(".cm-content");
  await text.scrollIntoViewIfNeeded();
  await text.getByText("n_symbols").last().dblclick();
  await page.keyboard.press("End");
  const lines = await text.locator(".cm-line").count();
  await page.keyboard.press("Enter");
  // On a phone the editor waits for its keyboard before it breaks a line: text that comes before that lands in front of it.
  await expect(text.locator(".cm-line")).toHaveCount(lines + 1);
  await page.keyboard.insertText('size_of = "nonsense"');
  const error = page.getByTestId("editor-error");
  await expect(error).toBeVisible();
  await expect(error).toContainText("size_of");
  await expect(page.getByTestId("heatmap")).toBeVisible();
  expect(await page.evaluate(() => window.sandtable.frame.plan.id)).toBe(first.id);
  const mended = await after(page, async () => {
    await page.keyboard.press("Shift+Home");
    await page.keyboard.press("Delete");
    await expect(text).not.toContainText("size_of");
  });
  await expect(error).toBeHidden();
  expect(mended.trials).toBe(400);
});

test("a strategy of the gallery runs at once", async ({ page, host }) => {
  await page.goto((await host()).url);
  const first = await finalFrame(page);
  const gallery = page.getByTestId("gallery");
  const second = await after(page, async () => {
    if (await gallery.evaluate((element) => element instanceof HTMLSelectElement)) await gallery.selectOption("ema_cross");
    else await gallery.getByText("ema_cross").first().click();
  });
  expect(second.id).not.toBe(first.id);
});
