// Types, unit tests, and the built page in Chromium; ends with Playwright's count. Arguments go to Playwright.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const web = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** @param {string} program @param {string[]} args */
function run(program, args) {
  const { status } = spawnSync(process.execPath, [join(web, "node_modules", program), ...args], { cwd: web, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

if (!existsSync(join(web, "dist/index.html"))) {
  console.error("dist is missing: `npm run build` first");
  process.exit(1);
}
for (const project of ["tsconfig.json", "tsconfig.workers.json", "tsconfig.node.json"]) {
  run("typescript/bin/tsc", ["--noEmit", "-p", project]);
}
run("@playwright/test/cli.js", ["test", ...process.argv.slice(2)]);
