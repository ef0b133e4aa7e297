import { defineConfig } from "vite";
import { isolation, packages, serviceWorker } from "./scripts/assets.ts";

export default defineConfig({
  // Relative, so that `dist` works from any folder of any host.
  base: "./",
  build: {
    target: ["chrome110", "firefox115", "safari16.4"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  worker: { format: "es" },
  plugins: [packages(), serviceWorker(), isolation()],
});
