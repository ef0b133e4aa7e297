// W10: the workload W1 in headless Chromium, with one thread and with all, beside the native program in the same run.
// Ends with one JSON object.

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "@playwright/test";
import { moveSlider, runW1, W1, watchFrames } from "../bench/w10.mjs";
import { LAUNCH } from "./chromium.mjs";
import { serve } from "./serve.mjs";

const web = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const LOADS = 5;
const RUNS = 5;
const MOVES = 24;

if (!existsSync(join(web, "dist/index.html"))) {
  console.error("dist is missing: `npm run build` first");
  process.exit(1);
}

const native = runNative();
const single = await inBrowser(false);
const threads = await inBrowser(true);
for (const { trials, fills } of [single, threads]) {
  if (trials !== native.trials || fills !== native.fills) throw new Error("the browser did other work than the native program");
}
console.log(
  JSON.stringify({
    workload: "W10",
    machine: { cpu: cpus()[0]?.model, threads: availableParallelism() },
    commit: execFileSync("git", ["-C", web, "rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim(),
    native: { threads: 1, wall_ms: round(native.wall_s * 1000), inside_ms: round(native.inside_s * 1000), best_inside_ms: round(native.best_s * 1000) },
    single,
    threads,
    single_over_native: round(single.wall_ms / (native.wall_s * 1000)),
    single_inside_over_native: round(single.inside_ms / (native.inside_s * 1000)),
    // Other work on the machine makes a run slower, never faster: the fastest ones say most where there is much of it.
    single_rate_of_native: round((native.best_s * 1000) / single.best_inside_ms),
    threads_over_single: round(single.inside_ms / threads.inside_ms),
  }),
);

/** The median of as many runs of the native program with one thread. */
function runNative() {
  const built = join(process.env["CARGO_TARGET_DIR"] ?? join(web, "../target"), "release/workloads");
  const [program, before] = existsSync(built)
    ? [built, []]
    : ["cargo", ["run", "--release", "--quiet", "-p", "sandtable-tests", "--bin", "workloads", "--"]];
  const runs = Array.from({ length: RUNS }, () => {
    const { stdout, status } = spawnSync(program, [...before, "W1", "--threads", "1", "--json"], {
      cwd: join(web, ".."),
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    });
    if (status !== 0) throw new Error("the native program did not run");
    return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
  });
  const of = (/** @type {string} */ figure) => median(runs.map((run) => run[figure]));
  const best_s = Math.min(...runs.map((run) => run.inside_s));
  return { trials: runs[0].trials, fills: runs[0].fills, wall_s: of("wall_s"), inside_s: of("inside_s"), best_s };
}

/** @param {boolean} isolated */
async function inBrowser(isolated) {
  const server = await serve({ roots: { "/": join(web, "dist") }, isolated });
  const browser = await chromium.launch(LAUNCH);
  try {
    const loads = [];
    let figures;
    for (let k = 0; k < LOADS; k++) {
      // A new context has an empty cache; without service workers the page stays as it is first loaded.
      const context = await browser.newContext({ serviceWorkers: "block", viewport: { width: 1280, height: 800 } });
      const page = await context.newPage();
      await page.addInitScript(watchFrames);
      await page.goto(server.url);
      const first = await page.waitForFunction(() => /** @type {any} */ (window).finalFrames[0]?.painted);
      loads.push(await first.jsonValue());
      if (k === LOADS - 1) {
        await page.waitForTimeout(500);
        const slider = await page.evaluate(moveSlider, MOVES);
        figures = { slider, ...(await page.evaluate(runW1, { study: W1, repeats: RUNS })) };
      }
      await context.close();
    }
    if (!figures) throw new Error("nothing was measured");
    if ((figures.cores > 1) !== isolated && availableParallelism() > 1) throw new Error("the page took the other build");
    return {
      threads: figures.cores,
      trials: figures.trials,
      fills: figures.fills,
      wall_ms: round(median(figures.walls)),
      inside_ms: round(median(figures.insides)),
      best_inside_ms: round(Math.min(...figures.insides)),
      bar_trials_per_s_per_core: Math.round((figures.rowsRead * 1000) / (median(figures.insides) * figures.cores)),
      load_to_heatmap_ms: round(median(loads)),
      loads_ms: loads.map(round),
      slider_to_heatmap_ms: round(median(figures.slider.times)),
      slider_run_ms: round(median(figures.slider.runs)),
      slider_best_ms: round(Math.min(...figures.slider.times)),
      sliders_ms: figures.slider.times.map(round),
      memory_mb: round(figures.memory / 1e6),
    };
  } finally {
    await browser.close();
    await server.close();
  }
}

/** @param {number[]} values */
function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return ((sorted[Math.ceil(half) - 1] ?? NaN) + (sorted[Math.floor(half)] ?? NaN)) / 2;
}

/** @param {number} x */
function round(x) {
  return Math.round(x * 100) / 100;
}
