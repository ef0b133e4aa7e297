import { defineConfig, devices } from "@playwright/test";
import { LAUNCH } from "./scripts/chromium.mjs";

const { defaultBrowserType: _chromiumAnyway, ...phone } = devices["Pixel 7"] ?? {};

export default defineConfig({
  testDir: "tests",
  outputDir: "test-results",
  reporter: [["list"]],
  // A test has the machine to itself: the engine uses every core.
  workers: 1,
  fullyParallel: false,
  timeout: 60_000,
  // A busy machine may starve a browser for seconds: one more try, and the report still says that it was needed.
  retries: process.env["CI"] === undefined ? 0 : 1,
  expect: { timeout: 15_000 },
  forbidOnly: process.env["CI"] !== undefined,
  use: { launchOptions: LAUNCH, trace: "off", screenshot: "only-on-failure" },
  projects: [
    { name: "unit", testMatch: "unit/**/*.test.ts" },
    { name: "desktop", testMatch: "page/**/*.test.ts", use: { viewport: { width: 1280, height: 800 } } },
    { name: "phone", testMatch: "page/**/*.test.ts", use: phone },
  ],
});
