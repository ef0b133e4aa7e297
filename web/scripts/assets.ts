// What Vite does not do by itself: serve and copy the built WebAssembly packages as they are, list the built files for
// the service worker, and send the headers that threads need while developing.

import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { type Plugin, type ResolvedConfig, transformWithOxc } from "vite";

/** Builds of the package; a page that is not isolated uses the second one. */
const BUILDS = ["threads", "single"];
/** What a page loads of a package; the rest is for people and compilers. */
const LOADED = /\.(js|wasm)$/;

export const ISOLATION_HEADERS = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
};

/**
 * Puts `pkg/<build>` beside the page, unbundled: the threads that the module starts import its glue by address. The
 * folder's name is a hash of its content, so it may be cached for ever.
 */
export function packages(): Plugin {
  let config: ResolvedConfig;
  let folder = "pkg/";
  return {
    name: "sandtable-packages",
    config(user, { command }) {
      const root = resolve(user.root ?? ".");
      if (command === "build") folder = `pkg/${hashOf(join(root, "pkg"))}/`;
      return { define: { SANDTABLE_PACKAGE: JSON.stringify(folder) } };
    },
    configResolved(resolved) {
      config = resolved;
    },
    transformIndexHtml() {
      // The module is what the first picture waits for longest; which build, only the page knows.
      const script = `document.head.append(Object.assign(document.createElement("link"), {
        rel: "preload", as: "fetch", crossOrigin: "anonymous",
        href: "${folder}" + (crossOriginIsolated ? "threads" : "single") + "/sandtable_wasm_bg.wasm" }))`;
      return [{ tag: "script", children: script.replace(/\s+/g, " "), injectTo: "head-prepend" }];
    },
    writeBundle({ dir = config.build.outDir }) {
      for (const build of BUILDS) {
        const from = join(config.root, "pkg", build);
        if (!existsSync(from)) this.error(`${relative(config.root, from)} is missing: build the package first`);
        const to = join(dir, folder, build);
        mkdirSync(to, { recursive: true });
        cpSync(from, to, { recursive: true, filter: (path) => statSync(path).isDirectory() || LOADED.test(path) });
      }
    },
  };
}

/** Writes `sw.js` with the list of all built files; its version is a hash of their content. */
export function serviceWorker(): Plugin {
  let config: ResolvedConfig;
  return {
    name: "sandtable-service-worker",
    apply: "build",
    configResolved(resolved) {
      config = resolved;
    },
    // Last of all, when every other file has been written.
    closeBundle: {
      order: "post",
      async handler() {
        const dir = resolve(config.root, config.build.outDir);
        if (!existsSync(join(dir, "index.html"))) return;
        const files = walk(dir).filter((file) => file !== "sw.js");
        const source = readFileSync(join(config.root, "src/sw.ts"), "utf8");
        const { code } = await transformWithOxc(source, "sw.ts", { sourcemap: false });
        const version = createHash("sha256").update(hashOf(dir, files)).update(code).digest("hex").slice(0, 16);
        const filled = code
          .replace("SANDTABLE_VERSION", JSON.stringify(version))
          .replace("SANDTABLE_FILES", JSON.stringify(files));
        writeFileSync(join(dir, "sw.js"), filled);
      },
    },
  };
}

/** Sends the headers under which browsers share memory between threads. */
export function isolation(): Plugin {
  const headers = ISOLATION_HEADERS;
  return {
    name: "sandtable-isolation",
    config: () => ({ server: { headers }, preview: { headers } }),
  };
}

/** All files below a folder, with `/`, in a fixed order. */
function walk(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort();
}

function hashOf(dir: string, files = existsSync(dir) ? walk(dir).filter((file) => LOADED.test(file)) : []): string {
  const hash = createHash("sha256");
  for (const file of files) hash.update(file).update("\0").update(readFileSync(join(dir, file)));
  return hash.digest("hex").slice(0, 12);
}
