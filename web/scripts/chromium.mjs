// How Chromium is started, for tests and measurements: the system's own, never a downloaded one.

export const LAUNCH = {
  executablePath: process.env["SANDTABLE_CHROMIUM"] ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
};
