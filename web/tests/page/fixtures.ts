// What tests of the page share: the built page on a server of their own, and a bundle folder made by the package itself.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type BrowserContext, expect, type Page, test as base } from "@playwright/test";
import type { Engine, Frame, NamedBytes } from "../../src/engine/index.ts";
import type { Package } from "../../src/engine/package.ts";
import { serve } from "../../scripts/serve.mjs";

declare global {
  interface Window {
    sandtable: { engine: Engine; frame: Frame };
  }
}

const WEB = resolve(import.meta.dirname, "../..");

export interface Folder {
  path: string;
  files: NamedBytes[];
}

type Server = Awaited<ReturnType<typeof serve>>;
type ServerOptions = { isolated?: boolean; ranges?: boolean; dist?: string };

interface Fixtures {
  /** Starts a server of `dist`, with the folder of bundles under `/bundles/`. */
  host: (options?: ServerOptions) => Promise<Server>;
  /** Errors that the page wrote to its console; a test that expects none need not look. */
  complaints: string[];
}

interface WorkerFixtures {
  /** The built-in bundle as a folder on disk. */
  folder: Folder;
}

export const test = base.extend<Fixtures, WorkerFixtures>({
  folder: [
    async ({}, use) => {
      const glue = pathToFileURL(join(WEB, "pkg/single/sandtable_wasm.js")).href;
      const sandtable = (await import(glue)) as Package;
      await sandtable.default({ module_or_path: readFileSync(join(WEB, "pkg/single/sandtable_wasm_bg.wasm")) });
      const files = sandtable.Bundle.builtIn("mag8").encode();
      const path = mkdtempSync(join(tmpdir(), "sandtable-test-"));
      mkdirSync(join(path, "mag8.bundle"));
      for (const { name, bytes } of files) writeFileSync(join(path, "mag8.bundle", name), bytes);
      await use({ path, files });
      rmSync(path, { recursive: true });
    },
    { scope: "worker" },
  ],
  host: async ({ folder }, use) => {
    const servers: Server[] = [];
    await use(async ({ dist = join(WEB, "dist"), ...options } = {}) => {
      const server = await serve({ roots: { "/": dist, "/bundles/": folder.path }, ...options });
      servers.push(server);
      return server;
    });
    await Promise.all(servers.map((server) => server.close()));
  },
  complaints: [
    async ({ page }, use) => {
      const complaints: string[] = [];
      page.on("pageerror", (error) => complaints.push(error.message));
      await use(complaints);
      expect(complaints).toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };

/** The serial number of a frame; `final` ones end a run. */
async function serial(page: Page): Promise<number> {
  return Number.parseInt((await page.evaluate(() => document.documentElement.dataset["frame"])) ?? "0", 10);
}

/** Waits for the complete picture of a run that is later than `after`. */
export async function finalFrame(page: Page, after = 0): Promise<{ trials: number; id: string; cells: number[]; cores: number }> {
  await page.waitForFunction((after) => {
    const frame = document.documentElement.dataset["frame"] ?? "";
    return frame.endsWith(":final") && Number.parseInt(frame, 10) > after;
  }, after);
  return page.evaluate(() => {
    const { progress, plan, heatmap, stats } = window.sandtable.frame;
    return { trials: progress.trials, id: plan.id, cells: [...(heatmap?.cells ?? [])], cores: stats.cores };
  });
}

/** Does something that starts a run, and waits for its complete picture. */
export async function after(page: Page, act: () => Promise<unknown>): Promise<Awaited<ReturnType<typeof finalFrame>>> {
  const before = await serial(page);
  await act();
  return finalFrame(page, before);
}

/** Sets a control with the events that a person causes. */
export async function setControl(page: Page, name: string, value: string): Promise<void> {
  await dragControl(page, name, [value]);
}

/** Sets a control to one value after another, one in each animation frame, as a pointer does. */
export async function dragControl(page: Page, name: string, values: string[]): Promise<void> {
  await page.getByTestId(`control-${name}`).evaluate(async (control, values) => {
    const input = control.matches("input, select") ? control : control.querySelector("input, select");
    const prototype = input instanceof HTMLSelectElement ? HTMLSelectElement.prototype : HTMLInputElement.prototype;
    for (const value of values) {
      Object.getOwnPropertyDescriptor(prototype, "value")?.set?.call(input, value);
      input?.dispatchEvent(new Event("input", { bubbles: true }));
      input?.dispatchEvent(new Event("change", { bubbles: true }));
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
  }, values);
}

/** Drops files on the page; bytes cross as base64 because nothing else does quickly. */
export async function dropFiles(page: Page, files: NamedBytes[]): Promise<void> {
  const plain = files.map(({ name, bytes }) => ({ name, data: Buffer.from(bytes).toString("base64") }));
  const transfer = await page.evaluateHandle((plain) => {
    const transfer = new DataTransfer();
    for (const { name, data } of plain) {
      transfer.items.add(new File([Uint8Array.from(atob(data), (char) => char.charCodeAt(0))], name));
    }
    return transfer;
  }, plain);
  const zone = page.getByTestId("drop-zone");
  for (const event of ["dragenter", "dragover", "drop"]) await zone.dispatchEvent(event, { dataTransfer: transfer });
}

/** The hash of a run of the same study, on a page of its own. */
export async function openPage(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(url);
  await finalFrame(page);
  return page;
}
