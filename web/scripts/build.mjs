// Builds the packages and the page into `dist`, and holds the sizes against their budgets.
//
//   npm run build                    everything
//   npm run build -- --page          the page alone, with the packages that are there

import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "vite";

const web = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const dist = join(web, "dist");

/**
 * In bytes: the module of either build with brotli, all scripts of the page together with gzip. The module grew by a tenth when
 * search methods and the judgement of a search came into it.
 */
const MODULE_BUDGET = 1_750_000;
const SCRIPT_BUDGET = 250_000;

if (!process.argv.includes("--page")) {
  const packages = spawnSync("bash", [join(web, "../.ci/wasm-package")], { stdio: "inherit" });
  if (packages.status !== 0) process.exit(packages.status ?? 1);
}
await build({ root: web, configFile: join(web, "vite.config.ts"), logLevel: "warn" });

const files = readdirSync(dist, { recursive: true, encoding: "utf8" }).map((file) => file.replaceAll("\\", "/")).sort();
const rows = [];
let scripts = 0;
let over = false;
for (const file of files.filter((file) => /\.(js|css|wasm)$/.test(file))) {
  const bytes = readFileSync(join(dist, file));
  if (file.endsWith(".wasm")) {
    // One step below the best that a server would keep: a tenth of the time for a few percent.
    const packed = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }).length;
    over ||= packed > MODULE_BUDGET;
    rows.push([file, bytes.length, packed, `brotli, at most ${kilobytes(MODULE_BUDGET)}`]);
    continue;
  }
  const packed = gzipSync(bytes, { level: 9 }).length;
  // The glue of a package belongs to the package.
  if (file.endsWith(".js") && !file.startsWith("pkg/")) scripts += packed;
  rows.push([file, bytes.length, packed, "gzip"]);
}
over ||= scripts > SCRIPT_BUDGET;
rows.push(["all scripts of the page", "", scripts, `gzip, at most ${kilobytes(SCRIPT_BUDGET)}`]);

for (const [name, size, packed, how] of rows) {
  console.log(`${String(name).padEnd(56)} ${kilobytes(size).padStart(10)} ${kilobytes(packed).padStart(10)}  ${how}`);
}
if (over) {
  console.error("the built page is larger than its budget");
  process.exit(1);
}

/** @param {unknown} bytes */
function kilobytes(bytes) {
  return typeof bytes === "number" ? `${(bytes / 1000).toFixed(1)} kB` : "";
}
