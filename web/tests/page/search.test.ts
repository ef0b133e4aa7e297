// Methods that do not try every point, what ranks trials, and both in a link.

import { after, expect, finalFrame, openPage, setControl, test } from "./fixtures.ts";

test("every method of the list runs", async ({ page, host }) => {
  await page.goto((await host()).url);
  await finalFrame(page);
  await after(page, () => setControl(page, "method", "random"));
  await after(page, () => setControl(page, "trials", "40"));
  const methods = await page.getByTestId("control-method").locator("option").evaluateAll((options) => options.map((option) => (option as HTMLOptionElement).value));
  expect(methods.length).toBeGreaterThan(8);
  const ids = new Set<string>();
  for (const method of methods.filter((method) => method !== "random")) {
    const { trials, id } = await after(page, () => setControl(page, "method", method));
    if (method === "grid") expect(trials).toBe(400);
    // What 40 trials on all sessions cost pays for more on parts of them.
    else if (["hyperband", "bohb"].includes(method)) expect(trials, method).toBeGreaterThan(40);
    else expect(trials, method).toBeLessThanOrEqual(40);
    expect(trials, method).toBeGreaterThan(5);
    ids.add(id);
  }
  expect(ids.size).toBe(methods.length - 1);
});

test("a search of the page is a study, and its link opens the same run", async ({ page, host, browser }) => {
  await page.goto((await host()).url);
  await finalFrame(page);
  await after(page, () => setControl(page, "method", "tpe"));
  await after(page, () => setControl(page, "trials", "60"));
  const { id, cells } = await after(page, () => setControl(page, "seed", "3"));
  const study = await page.evaluate(async () => (await window.sandtable.engine.export("study.toml")).text());
  expect(study).toMatch(/method = "tpe"/);
  expect(study).toMatch(/trials = 60/);
  expect(study).toMatch(/seed = 3/);
  const before = page.url();
  await page.getByTestId("permalink-button").click();
  await expect.poll(() => page.url()).not.toBe(before);
  const other = await browser.newContext();
  const opened = await finalFrame(await openPage(other, page.url()));
  expect(opened.id).toBe(id);
  expect(opened.cells).toEqual(cells);
  await other.close();
});

test("an expression ranks the trials, and a constraint puts those that fail it last", async ({ page, host }) => {
  await page.goto((await host()).url);
  await finalFrame(page);
  const first = () => page.evaluate(() => {
    const { frame, engine } = window.sandtable;
    const names = engine.catalog.metrics.map((metric) => metric.name);
    const row = frame.top[0];
    if (!row) throw new Error("no trial");
    return { index: row.index, of: (name: string) => row.metrics[names.indexOf(name)] ?? NaN, trades: row.metrics[names.indexOf("trades")] ?? NaN };
  });
  await page.getByTestId("control-objective").selectOption("expression");
  await after(page, async () => {
    await page.getByTestId("control-expression").fill("0 - trades");
    await page.keyboard.press("Enter");
  });
  const fewest = (await first()).trades;
  const bound = fewest + 50;
  await after(page, async () => {
    await page.getByTestId("control-constraints").fill(`trades >= ${bound}`);
    await page.keyboard.press("Enter");
  });
  const { trades } = await first();
  expect(trades).toBeGreaterThanOrEqual(bound);
  await page.getByTestId("control-constraints").fill("trades >=");
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("notice").filter({ hasText: "expected a value, found the end" })).toBeVisible();
});
