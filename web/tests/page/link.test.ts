// The permalink: to an address and back to the same run.

import { after, expect, finalFrame, openPage, setControl, test } from "./fixtures.ts";

test("a link opens the same run on another page", async ({ page, host, browser }) => {
  await page.goto((await host()).url);
  await finalFrame(page);
  const hash = () => new URL(page.url()).hash;
  // The page writes the address of a run a moment after it: that of the first one must not pass for the second's.
  await expect.poll(hash).toMatch(/^#1\./);
  const first = hash();
  const { id, cells } = await after(page, () => setControl(page, "commission", "7"));
  await page.getByTestId("permalink-button").click();
  await expect.poll(hash).not.toBe(first);
  const other = await browser.newContext();
  const opened = await finalFrame(await openPage(other, page.url()));
  expect(opened.id).toBe(id);
  expect(opened.cells).toEqual(cells);
  await other.close();
});

test("a damaged link gets a sentence, and the page starts as usual", async ({ page, host }) => {
  await page.goto(`${(await host()).url}#1.abcdefgh`);
  const { trials } = await finalFrame(page);
  expect(trials).toBe(400);
  await expect(page.getByTestId("notice").filter({ hasText: "link cannot be read" })).toBeVisible();
});
