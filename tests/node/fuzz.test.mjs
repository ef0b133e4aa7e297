// No input traps the module: a trap would end every later call of the instance. Seeded mutations of everything that
// crosses the border; each call gives a value or throws an Error with a sentence, and the instance works afterwards.
//
//   node --test tests/node        SANDTABLE_FUZZ=20 multiplies the number of cases
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./package.mjs";

const sandtable = await load(new URL("../../web/pkg/single", import.meta.url).pathname);
const { Bundle } = sandtable;
const cases = 400 * Number(process.env.SANDTABLE_FUZZ ?? 1);

/** Seeded 32-bit draws (mulberry32). */
function stream(seed) {
  return (below) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const counts = { values: 0, errors: 0 };

/** Calls, and demands a value or an Error that is not a trap. */
async function survives(what, call) {
  try {
    await call();
    counts.values++;
  } catch (error) {
    assert.ok(!(error instanceof WebAssembly.RuntimeError), `${what}: the module trapped: ${error.stack}`);
    assert.ok(error instanceof Error && error.message.length > 0, `${what}: threw ${error}`);
    counts.errors++;
  }
}

function mutateText(text, draw) {
  const alphabet = "()[]{}\"'=.,<>+-*/ \n\\0123456789abcxyz_#é\u{1F600}\u0000";
  let out = [...text];
  for (let n = 1 + draw(4); n > 0; n--) {
    const at = draw(out.length + 1);
    const piece = [...alphabet][draw([...alphabet].length)];
    const kind = draw(5);
    if (kind === 0) out.splice(at, draw(20));
    else if (kind === 1) out.splice(at, 0, piece.repeat(1 + draw(3)));
    else if (kind === 2) out[at % Math.max(1, out.length)] = piece;
    else if (kind === 3) out = [...out.slice(0, at), ...out.slice(draw(out.length + 1))];
    else out.splice(at, 0, ...out.slice(draw(out.length + 1)).slice(0, 40));
  }
  return out.join("").slice(0, 20000);
}

function mutateBytes(bytes, draw) {
  let out = Uint8Array.from(bytes);
  for (let n = 1 + draw(4); n > 0; n--) {
    const kind = draw(5);
    const at = draw(out.length + 1);
    if (kind === 0) out[at % Math.max(1, out.length)] ^= 1 << draw(8);
    else if (kind === 1) out[at % Math.max(1, out.length)] = draw(256);
    else if (kind === 2) out = out.slice(0, at);
    else if (kind === 3) out.fill(draw(256), at, at + draw(64));
    else out = out.slice(at);
  }
  return out;
}

/** Whether the instance still computes. */
function alive(bundle) {
  const run = bundle.run(bundle.plan({ strategy: "sma_cross", "search": { method: "single" } }));
  assert.equal(run.finish(10).trials, 1);
}

const bundle = Bundle.builtIn("mag8");
const { gallery } = sandtable.catalog();

test("strategies", async () => {
  const draw = stream(1);
  for (let i = 0; i < cases; i++) {
    const source = mutateText(gallery[i % gallery.length].source, draw);
    await survives("strategy", () => sandtable.strategy(source, mutateText("file", draw)));
    await survives("plan", () => {
      const plan = bundle.plan({ strategy_text: source, start: "2020-01-02", space: {} });
      const run = bundle.run(plan);
      run.step(1);
      run.trial(0);
    });
  }
  alive(bundle);
});

test("studies, as text and as objects", async () => {
  const draw = stream(2);
  const text = 'strategy = "sma_cross"\nsymbols = ["X"]\nstart = 2015-01-02\nend = 2016-01-04\ncapital = 1e5\nfill = "next_open"\nobjective = "sharpe"\nwhere = "fast < slow"\n[costs]\nbps = 5\nper_share = 0.01\n[space]\nfast = { type = "int", min = 5, max = 50, step = 5 }\nslow = [60, 70]\n';
  const odd = [NaN, Infinity, -0, 1e308, -1, 2 ** 53, "", "x", null, undefined, [], {}, [[]], { a: 1n }, new Date(0), () => 1, Symbol("s"), new Uint8Array(3), "2015-13-45"];
  const keys = sandtable.catalog().keys.map((key) => key.name);
  for (let i = 0; i < cases; i++) {
    await survives("text", () => bundle.plan(mutateText(text, draw)));
    const study = { strategy: "sma_cross", start: "2019-01-02", end: "2019-03-01", costs: {}, search: { method: "single" } };
    for (let n = 1 + draw(3); n > 0; n--) {
      const [table, key] = keys[draw(keys.length)].split(".");
      const value = odd[draw(odd.length)];
      if (key) study[table] = { ...study[table], [key]: value };
      else study[table] = value;
    }
    await survives("object", () => {
      const plan = bundle.plan(study);
      plan.info();
      bundle.run(plan).step(3);
    });
    await survives("toml", () => sandtable.studyToml(study));
    await survives("odd", () => bundle.plan(odd[draw(odd.length)]));
  }
  const cyclic = { strategy: "sma_cross" };
  cyclic.name = cyclic;
  await survives("cyclic", () => bundle.plan(cyclic));
  alive(bundle);
});

test("queries of a run", async () => {
  const draw = stream(3);
  const run = bundle.run(bundle.plan({ strategy: "sma_cross", space: { fast: [5, 10], slow: [20, 40] } }));
  run.finish(10);
  const odd = [NaN, Infinity, -1, 0.5, 1e300, 2 ** 53, 3, "fast", "", null, undefined, {}, [], () => 1];
  for (let i = 0; i < cases; i++) {
    const any = () => odd[draw(odd.length)];
    await survives("step", () => run.step(any()));
    await survives("top", () => run.top(any(), any() ?? undefined));
    await survives("row", () => run.row(any()));
    await survives("trial", () => run.trial(any()));
    await survives("candles", () => run.candles(String(any())));
    await survives("column", () => run.column(String(any())));
    await survives("heatmap", () => run.heatmap({ x: any(), y: any(), metric: any(), aggregate: "best", fixed: any() }));
    await survives("budget", () => sandtable.setCacheBudget(any() === 3 ? 1e6 : any()));
    await survives("finish", () => run.finish(any(), any()));
  }
  sandtable.setCacheBudget(256 * 2 ** 20);
  await survives("a callback that asks the run", () => bundle.run(bundle.plan({ strategy: "sma_cross", search: { method: "single" } })).finish(1, () => run.top(1)));
  const again = bundle.run(bundle.plan({ strategy: "sma_cross", space: { fast: [5, 10], slow: [20, 40] } }));
  await survives("a callback that steps its own run", () => again.finish(1, () => again.step(1)));
  await survives("and afterwards", () => again.finish(1));
  const freed = bundle.plan({ strategy: "sma_cross" });
  freed.free();
  await survives("a freed plan", () => bundle.run(freed));
  alive(bundle);
});

test("bundles", async () => {
  const draw = stream(4);
  const files = bundle.encode();
  for (let i = 0; i < cases / 2; i++) {
    const victim = draw(files.length);
    const broken = files.map((file, k) => (k === victim ? { name: file.name, bytes: mutateBytes(file.bytes, draw) } : file));
    await survives("files", () => Bundle.fromFiles(broken));
    const manifest = broken.find((file) => file.name === "manifest.json").bytes;
    await survives("ranges", async () => {
      const remote = Bundle.open(manifest, (ranges) =>
        ranges.map(({ file, start, end }) => {
          const bytes = broken.find((one) => one.name === file)?.bytes ?? new Uint8Array(0);
          return draw(20) === 0 ? mutateBytes(bytes.slice(start, end), draw) : bytes.slice(start, end);
        }),
      );
      remote.info();
      const plan = remote.plan({ strategy: "sma_cross", start: "2018-01-02", search: { method: "single" } });
      await remote.load(plan);
      remote.run(plan).finish(1);
    });
  }
  for (const odd of [null, undefined, 3, "x", {}, [], [null], [{}], [{ name: 3, bytes: 4 }], [{ name: "manifest.json", bytes: "x" }]]) {
    await survives("odd files", () => Bundle.fromFiles(odd));
    await survives("odd inputs", () => Bundle.ingest(odd));
    await survives("odd options", () => Bundle.ingest([], odd));
    await survives("odd manifest", () => Bundle.open(odd, () => []));
    await survives("odd name", () => Bundle.builtIn(String(odd)));
  }
  alive(bundle);
});

test("other people's files", async () => {
  const draw = stream(5);
  const csv = ["Date,Open,High,Low,Close,Volume"];
  for (let day = 0; day < 60; day++) {
    const date = new Date(Date.UTC(2020, 0, 2 + day)).toISOString().slice(0, 10);
    csv.push(`${date},${100 + day},${103 + day},${99 + day},${101 + day},${day * 1000}`);
  }
  const text = csv.join("\n");
  // A Parquet file in long format with plain types: a results file is one, and so is a bundle's file.
  const results = bundle.run(bundle.plan({ strategy: "sma_cross", space: { fast: [5, 10], slow: [20, 40] } }));
  results.finish(4);
  const parquets = [results.parquet(), ...bundle.encode().filter((file) => file.name.endsWith(".parquet")).map((file) => file.bytes)];
  for (let i = 0; i < cases; i++) {
    await survives("csv", () => Bundle.ingest([{ name: "a.csv", bytes: new TextEncoder().encode(mutateText(text, draw)) }]).bundle().info());
    const parquet = parquets[i % parquets.length];
    await survives("parquet", () => Bundle.ingest([{ name: "a.parquet", bytes: mutateBytes(parquet, draw) }]).bundle().info());
    // The footer, where the decoder reads lengths and types, is hit more often than its share of bytes.
    const footer = Uint8Array.from(parquet);
    for (let n = 1 + draw(3); n > 0; n--) footer[footer.length - 9 - draw(Math.min(4000, footer.length - 9))] = draw(256);
    await survives("footer", () => Bundle.ingest([{ name: "a.parquet", bytes: footer }]).bundle().info());
  }
  alive(bundle);
  assert.ok(counts.values > 100 && counts.errors > 500, JSON.stringify(counts));
});
