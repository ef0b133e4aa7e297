// What W10 measures inside the page, for one browser context at a time.

/** The study of the workload W1, as the native program runs it (tests/src/workload.rs). */
export const W1 = {
  bundle: "mag8",
  strategy_text: `name = "crossover"
[params]
fast = { type = "int", min = 5, max = 100, step = 5 }
slow = { type = "int", min = 22, max = 212, step = 10 }
[rules]
target = "if(sma(close, fast) > sma(close, slow), 1 / n_symbols, 0)"
rebalance = "on_change"
`,
  costs: { bps: 5, slippage_bps: 2 },
};

/**
 * Runs before the page's own scripts: notes when each complete picture has been painted.
 */
export function watchFrames() {
  const noted = /** @type {{ frame: string, painted: number }[]} */ ([]);
  Object.assign(window, { finalFrames: noted });
  new MutationObserver(() => {
    const frame = document.documentElement.dataset["frame"] ?? "";
    if (!frame.endsWith(":final")) return;
    // A task after the next animation frame: the picture is on the screen by then.
    requestAnimationFrame(() => setTimeout(() => noted.push({ frame, painted: performance.now() })));
  }).observe(document, { attributes: true, subtree: true, attributeFilter: ["data-frame"] });
}

/**
 * W1 from data to results with nothing kept from before: bars generated, plan, every trial, results as Parquet.
 * @param {{ study: any, repeats: number }} options
 */
export async function runW1({ study, repeats }) {
  const engine = /** @type {any} */ (window).sandtable.engine;
  const page = engine.onFrame;
  const walls = [];
  const insides = [];
  let last;
  try {
    for (let k = 0; k < repeats; k++) {
      await engine.clearCache();
      const began = performance.now();
      await engine.open({ kind: "builtIn", name: "mag8" });
      const final = new Promise((resolve) => {
        engine.onFrame = (/** @type {any} */ frame) => frame.final && resolve(frame);
      });
      engine.explore(study, { metric: "sharpe", aggregate: "best", fixed: {} });
      last = /** @type {any} */ (await final);
      await engine.export("parquet");
      walls.push(performance.now() - began);
      insides.push(last.stats.elapsedMs);
    }
  } finally {
    engine.onFrame = page;
  }
  const { progress, stats } = last;
  return { walls, insides, trials: progress.trials, rowsRead: progress.rowsRead, fills: progress.fills, cores: stats.cores, memory: stats.cache.memory };
}

/**
 * Moves the slider of the commission and waits for the complete picture, one move after the other: milliseconds until each
 * is on the screen, and what the engine took of them from the study to the last trial.
 * @param {number} moves
 */
export async function moveSlider(moves) {
  const input = /** @type {HTMLInputElement} */ (document.querySelector('input[data-testid="control-commission"], [data-testid="control-commission"] input'));
  const noted = /** @type {any} */ (window).finalFrames;
  const value = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value");
  const times = [];
  const runs = [];
  for (let k = 1; k <= moves; k++) {
    const before = noted.length;
    const began = performance.now();
    value?.set?.call(input, String(k));
    input.dispatchEvent(new Event("input", { bubbles: true }));
    while (noted.length === before) await new Promise((resolve) => setTimeout(resolve, 1));
    times.push(noted.at(-1).painted - began);
    runs.push(/** @type {any} */ (window).sandtable.frame.stats.elapsedMs);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return { times, runs };
}
