import { defineConfig, devices } from "@playwright/test";

/** Debian's Chromium; Playwright's own download is never used. */
const launchOptions = {
  executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
};

const { deviceScaleFactor: _scale, defaultBrowserType: _type, ...phone } = devices["Pixel 7"]!;

export default defineConfig({
  testDir: "tests",
  outputDir: "test-results",
  reporter: [["list"]],
  // A test has the machine to itself: the engine uses every core.
  workers: 1,
  fullyParallel: false,
  timeout: 30_000,
  expect: { timeout: 10_000 },
  forbidOnly: process.env["CI"] !== undefined,
  use: { launchOptions, trace: "off", screenshot: "only-on-failure" },
  projects: [
    { name: "unit", testMatch: "unit/**/*.test.ts" },
    { name: "desktop", testMatch: "page/**/*.test.ts", use: { viewport: { width: 1280, height: 800 } } },
    { name: "phone", testMatch: "page/**/*.test.ts", use: phone },
  ],
});
