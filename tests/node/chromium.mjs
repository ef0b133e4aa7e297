// Prints the fingerprints of the package in a folder as headless Chromium computes them, as one JSON object.
//
//   node chromium.mjs FOLDER [--threads]
//
// The package runs in a worker of a page that a server here gives out, isolated so that memory may be shared.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { extname, join, resolve } from "node:path";

const [folder, option] = process.argv.slice(2);
const require = createRequire(new URL("../../web/package.json", import.meta.url));
const { chromium } = require("playwright-core");

const types = { ".js": "text/javascript", ".wasm": "application/wasm", ".html": "text/html" };
const worker = `
  import * as sandtable from "./sandtable_wasm.js";
  try {
    await sandtable.default();
    if (${option === "--threads"}) await sandtable.initThreadPool(${Math.max(2, cpus().length)});
    postMessage({ fingerprints: sandtable.fingerprints() });
  } catch (error) {
    postMessage({ error: String(error) });
  }`;

const server = createServer(async (request, response) => {
  const name = new URL(request.url, "http://localhost").pathname.slice(1);
  const headers = {
    "content-type": types[extname(name)] ?? "text/html",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
  };
  try {
    const made = { "": "<!doctype html><title>parity</title>", "worker.js": worker };
    // Only plain names of the folder itself are given out.
    const body = made[name] ?? (name.includes("..") ? undefined : await readFile(join(resolve(folder), name)));
    response.writeHead(body === undefined ? 404 : 200, headers).end(body);
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));

const browser = await chromium.launch({
  executablePath: process.env.SANDTABLE_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
});
let failed = false;
try {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  const answer = await page.evaluate(
    () =>
      new Promise((settle) => {
        const worker = new Worker("/worker.js", { type: "module" });
        worker.onmessage = (event) => settle(event.data);
        worker.onerror = (event) => settle({ error: event.message || "the worker could not be started" });
      }),
  );
  if (answer.error) throw new Error(answer.error);
  process.stdout.write(JSON.stringify(answer.fingerprints));
} catch (error) {
  failed = true;
  console.error(String(error));
} finally {
  await browser.close();
  server.closeAllConnections();
  server.close();
}
process.exitCode = failed ? 1 : 0;
