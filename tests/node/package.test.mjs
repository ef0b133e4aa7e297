// The package in Node.js: what its documentation promises, from a bundle's bytes to results.
//
//   node --test tests/node        (after .ci/wasm-package single)
import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { load } from "./package.mjs";

const sandtable = await load(new URL("../../web/pkg/single", import.meta.url).pathname);
const { Bundle } = sandtable;

const grid = (more = {}) => ({
  strategy: "sma_cross",
  costs: { bps: 5 },
  space: { fast: { type: "int", min: 5, max: 50, step: 5 }, slow: { type: "int", min: 60, max: 200, step: 20 } },
  ...more,
});

/** The error that a call throws. */
function thrown(call) {
  try {
    call();
  } catch (error) {
    return error;
  }
  assert.fail("nothing was thrown");
}

test("the catalogue has what the native program lists", () => {
  const catalog = sandtable.catalog();
  assert.equal(catalog.metrics.length, 40);
  assert.ok(catalog.indicators.some((one) => one.name === "rsi" && one.params[0].default === 14));
  assert.ok(catalog.gallery.length >= 6 && catalog.keys.some((key) => key.name === "costs.bps"));
  assert.equal(catalog.threads, false);
  assert.equal(catalog.simd, true);
});

test("every strategy of the gallery parses and says its parameters", () => {
  for (const { name, source } of sandtable.catalog().gallery) {
    const info = sandtable.strategy(source, name);
    assert.ok(info.params.length > 0, name);
  }
});

test("an error has its place, its sentence and the way out", () => {
  const source = 'name = "x"\n[rules]\ntarget = "smaa(close, 5)"\n';
  const error = thrown(() => sandtable.strategy(source, "mine.toml"));
  assert.ok(error instanceof Error);
  assert.equal(error.name, "SandtableError");
  assert.equal(error.kind, "strategy");
  assert.deepEqual([error.place.line, error.place.column, error.place.width], [3, 11, 4]);
  assert.match(error.message, /^mine\.toml:3:11: .*\n {2}\| target = "smaa\(close, 5\)"\n {2}\| {11}\^{4}/);
  assert.match(error.help, /sma/);
  assert.ok(error.message.includes(error.sentence));
});

test("a grid runs in steps of any size to the same bytes", () => {
  const bundle = Bundle.builtIn("mag8");
  assert.equal(bundle.info().rows, 40987);
  const plan = bundle.plan(grid());
  const bytes = [1, 7, 1000].map((chunk) => {
    const run = bundle.run(plan);
    let progress = run.progress();
    assert.equal(progress.total, 80);
    while (!progress.done) progress = run.step(chunk);
    assert.equal(progress.trials, 80);
    return Buffer.from(run.parquet());
  });
  assert.ok(bytes[0].equals(bytes[1]) && bytes[0].equals(bytes[2]));
});

test("a run takes over what another has prepared, and gives the same bytes", () => {
  const bundle = Bundle.builtIn("mag8");
  const finished = (more, before) => {
    const run = bundle.run(bundle.plan(grid(more)));
    const taken = before ? run.inherit(before) : undefined;
    run.finish(33);
    return { run, taken, bytes: Buffer.from(run.parquet()), judgement: run.judgement() };
  };
  const first = finished({});
  for (const more of [{ costs: { bps: 20 } }, { capital: 5000 }, { fill: "same_close" }]) {
    const [alone, after] = [finished(more), finished(more, first.run)];
    assert.equal(after.taken, true);
    assert.ok(alone.bytes.equals(after.bytes) && !alone.bytes.equals(first.bytes));
    assert.deepEqual(after.judgement, alone.judgement);
  }
  for (const more of [{ end: "2010-12-31" }, { symbols: ["ALFA", "BRVO"] }, { strategy: "ema_cross" }]) {
    const [alone, after] = [finished(more), finished(more, first.run)];
    assert.equal(after.taken, false);
    assert.ok(alone.bytes.equals(after.bytes));
  }
});

test("results are columns, a heatmap, the best trials and each trial in full", () => {
  const bundle = Bundle.builtIn("mag8");
  const plan = bundle.plan(grid());
  const run = bundle.run(plan);
  run.step(10);
  const query = { x: "fast", y: "slow", metric: "sharpe", aggregate: "best" };
  const early = run.heatmap(query);
  assert.deepEqual([early.xValues.length, early.yValues.length, early.filled], [10, 8, 10]);
  run.finish(16);
  const map = run.heatmap(query);
  assert.equal(map.filled, 80);
  const [best] = run.top(1);
  assert.equal(Math.max(...map.cells), best.metrics[sandtable.catalog().metrics.findIndex((m) => m.name === "sharpe")]);
  assert.ok(map.trials.includes(best.index));
  assert.ok(map.plateau.every((value, cell) => value <= Math.max(...map.cells) && !Number.isNaN(map.cells[cell])));
  assert.equal(run.column("sharpe").length, 80);
  assert.deepEqual([...run.column("fast").slice(0, 2)], [5, 5]);
  const trial = run.trial(best.index);
  assert.deepEqual(trial.params, best.params);
  assert.deepEqual([...trial.metrics], [...best.metrics]);
  assert.equal(trial.equity.length, trial.sessions.length);
  assert.equal(trial.trades.entryTime.length, trial.trades.profit.length);
  assert.ok(trial.fills.time.length > 100);
  const compounded = trial.months.reduce((worth, month) => worth * (1 + month.value), 100000);
  assert.ok(Math.abs(compounded / trial.equity.at(-1) - 1) < 1e-9);
  const { symbols } = trial;
  assert.equal(run.candles(symbols[0]).close.length, bundle.info().symbols[0].rows);
  assert.equal(run.csv().split("\n").length, 82);
  assert.equal(run.row(1e6), undefined);
  assert.match(thrown(() => run.trial(1e6)).message, /no trial/);
  assert.match(thrown(() => run.candles("NOPE")).message, /does not trade/);
  assert.match(thrown(() => run.heatmap({ ...query, x: "fats" })).message, /did you mean `fast`/);
});

test("a callback sees progress and may end the run", () => {
  const bundle = Bundle.builtIn("mag8");
  const run = bundle.run(bundle.plan(grid()));
  const seen = [];
  const last = run.finish(5, (progress) => (seen.push(progress.trials), progress.trials < 20));
  assert.deepEqual(seen, [5, 10, 15, 20]);
  assert.equal(last.done, false);
  assert.throws(() => run.finish(5, () => { throw new RangeError("mine"); }), RangeError);
  assert.equal(run.finish(100).trials, 80);
});

test("the id of a run is the same for text, object, and a bundle read by ranges", async () => {
  const bundle = Bundle.builtIn("mag8");
  const files = bundle.encode();
  const byName = Object.fromEntries(files.map((file) => [file.name, file.bytes]));
  const total = files.reduce((sum, file) => sum + (file.name.endsWith(".parquet") ? file.bytes.length : 0), 0);
  let asked = 0;
  const remote = Bundle.open(byName["manifest.json"], async (ranges) =>
    ranges.map(({ file, start, end }) => {
      asked += end - start;
      return byName[file].slice(start, end);
    }),
  );
  assert.deepEqual(remote.info().symbols, bundle.info().symbols);
  const symbols = bundle.info().symbols.slice(2, 4).map((one) => one.symbol);
  const study = grid({ symbols, start: "2012-01-03" });
  const [near, far] = [bundle.plan(study), remote.plan(sandtable.studyToml(study))];
  assert.equal(near.id, far.id);
  assert.match(thrown(() => remote.run(far)).message, /not loaded/);
  const loaded = await remote.load(far);
  assert.equal(loaded.bytesRead, asked);
  assert.ok(asked < 0.4 * total, `${asked} of ${total}`);
  const results = [bundle.run(near), remote.run(far)].map((run) => (run.finish(100), Buffer.from(run.parquet())));
  assert.ok(results[0].equals(results[1]));
  assert.equal((await remote.load(remote.plan({ ...study, start: "2014-01-02" }))).bytesRead, 0, "inside of what is there");
  const whole = Bundle.fromFiles(files);
  assert.equal(whole.plan(study).id, near.id);
});

test("a range reader that fails rejects, and the bundle works afterwards", async () => {
  const files = Object.fromEntries(Bundle.builtIn("mag8").encode().map((file) => [file.name, file.bytes]));
  let mood = "throw";
  const bundle = Bundle.open(files["manifest.json"], (ranges) => {
    if (mood === "throw") throw new TypeError("offline");
    if (mood === "short") return ranges.map(() => new Uint8Array(3));
    if (mood === "few") return [];
    if (mood === "nonsense") return 7;
    const bytes = ranges.map(({ file, start, end }) => files[file].slice(start, end));
    if (mood === "damaged") bytes[0][9] ^= 1;
    return bytes;
  });
  const plan = bundle.plan(grid());
  await assert.rejects(bundle.load(plan), TypeError);
  for (const [next, sentence] of [["short", /3 bytes came/], ["few", /0 answers/], ["nonsense", /no array/], ["damaged", /footer|damaged/]]) {
    mood = next;
    await assert.rejects(bundle.load(plan), sentence);
  }
  mood = "well";
  assert.ok((await bundle.load(plan)).bytesRead > 0);
  assert.equal(bundle.run(plan).finish(100).trials, 80);
});

test("other people's files become a bundle, with their defects", () => {
  const rows = ["Date,Open,High,Low,Close,Volume"];
  for (let day = 1; day <= 28; day++) rows.push(`2021-03-${String(day).padStart(2, "0")},10,11,9,${10 + day / 100},1000`);
  rows.push("2021-03-29,10,8,9,10,1000");
  const text = new TextEncoder().encode(rows.join("\n"));
  for (const file of [{ name: "abc.csv", bytes: text }, { name: "abc.csv.gz", bytes: gzipSync(text) }]) {
    const ingested = Bundle.ingest([file], { name: "mine" });
    assert.ok(ingested.count >= 1);
    assert.ok(ingested.defects().some((defect) => defect.meaning.length > 10));
    const info = ingested.bundle().info();
    assert.deepEqual([info.name, info.symbols.length], ["mine", 1]);
  }
  const broken = { name: "x.parquet", bytes: new TextEncoder().encode("PAR1 nothing PAR1") };
  assert.match(thrown(() => Bundle.ingest([broken])).message, /x\.parquet: not a readable Parquet file/);
  const bad = text.slice(0, 40);
  assert.equal(thrown(() => Bundle.ingest([{ name: "bad.csv", bytes: bad }]).bundle()).name, "SandtableError");
});

test("a space too large for memory is refused by name", () => {
  const bundle = Bundle.builtIn("mag8");
  const plan = bundle.plan(grid({ space: { fast: { type: "int", min: 2, max: 600, step: 1 }, slow: { type: "int", min: 601, max: 1201, step: 1 } } }));
  assert.match(thrown(() => bundle.run(plan)).message, /359999 trials; at most 200000.*[^]*sandtable optimize/);
});

test("caches answer the second run and hold to their budget", () => {
  sandtable.setCacheBudget(64 * 2 ** 20);
  const bundle = Bundle.builtIn("mag8");
  // Columns that are held: averages pass by while they are compared.
  const held = (period, more = {}) => grid({ strategy: "rsi_mean_reversion", space: { period, oversold: 20, recovered: 60, longest: 10 }, ...more });
  const once = (bps) => bundle.run(bundle.plan(held({ type: "int", min: 2, max: 12, step: 2 }, { costs: { bps } }))).finish(100);
  once(1);
  const before = sandtable.cacheStats();
  once(2);
  const after = sandtable.cacheStats();
  assert.ok(after.contexts.hits > before.contexts.hits && after.history.hits > before.history.hits);
  for (let round = 0; round < 8; round++) {
    bundle.run(bundle.plan(held({ type: "int", min: 2 + round, max: 62 + round, step: 6 }))).finish(100);
    const stats = sandtable.cacheStats();
    const bytes = stats.assets.bytes + stats.history.bytes + stats.contexts.bytes;
    assert.ok(stats.history.bytes > 0 && bytes <= stats.budget, `${bytes} of ${stats.budget}`);
  }
  sandtable.clearCache();
  assert.equal(sandtable.cacheStats().history.bytes, 0);
  assert.equal(thrown(() => sandtable.setCacheBudget(-1)).name, "SandtableError");
  sandtable.setCacheBudget(256 * 2 ** 20);
});

test("memory stays bounded while grids follow each other", () => {
  const bundle = Bundle.builtIn("mag8");
  const one = (round) => {
    const plan = bundle.plan(grid({ costs: { bps: round % 50 }, start: `20${10 + (round % 9)}-01-04` }));
    const run = bundle.run(plan);
    run.step(20);
    run.free();
    plan.free();
  };
  for (let round = 0; round < 60; round++) one(round);
  const before = sandtable.cacheStats().memory;
  for (let round = 0; round < 240; round++) one(round);
  const after = sandtable.cacheStats().memory;
  assert.ok(after <= before + 16 * 2 ** 20, `${before} bytes, then ${after}`);
});

test("a finished run is judged, the same at every call and in steps of any size", () => {
  const bundle = Bundle.builtIn("mag8");
  const judged = (step) => {
    const run = bundle.run(bundle.plan(grid()));
    assert.equal(run.judgement(), undefined, "nothing was evaluated yet");
    while (!run.step(step).done);
    const judgement = run.judgement();
    assert.deepEqual(run.judgement(), judgement);
    assert.equal(judgement.best, run.top(1)[0].index);
    return judgement;
  };
  const judgement = judged(80);
  assert.deepEqual(judged(7), judgement);
  assert.equal(judgement.trials, 80);
  assert.match(judgement.sentence, /^best Sharpe -?\d+\.\d\d of 80 trials; deflated \d\.\d\d; PBO \d\.\d\d; SPA p \d\.\d{3}: /);
  for (const share of ["probabilityAboveZero", "deflated", "pbo", "probabilityOfLoss", "spa", "realityCheck"]) {
    assert.ok(judgement[share] >= 0 && judgement[share] <= 1, `${share} is ${judgement[share]}`);
  }
  assert.ok(judgement.independent >= 1 && judgement.independent <= 80);
  assert.ok(judgement.advice.length > 10);
});

test("one trial is judged as far as one trial can be", () => {
  const bundle = Bundle.builtIn("mag8");
  const run = bundle.run(bundle.plan({ strategy: "sma_cross", space: { fast: 20, slow: 100 } }));
  run.step(1);
  const { trials, pbo, spa, sentence, deflated, probabilityAboveZero } = run.judgement();
  assert.equal(trials, 1);
  assert.ok(Number.isNaN(pbo) && Number.isNaN(spa));
  assert.equal(deflated, probabilityAboveZero);
  assert.match(sentence, /of one trial/);
});
