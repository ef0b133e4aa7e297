// A static server for tests and measurements, with switches for what hosts do differently.
//
//   node scripts/serve.mjs [--root FOLDER, else the built page] [--port 0] [--isolated false] [--ranges false]

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".parquet": "application/octet-stream",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
};

/**
 * @typedef {{ path: string, status: number, range: string | undefined, bytes: number }} Served
 * @typedef {{ roots: Record<string, string>, port?: number, isolated?: boolean, ranges?: boolean }} Options
 *   `roots` maps prefixes of paths ("/") to folders; the longest one wins.
 */

/**
 * Starts a server; `log` lists what it served.
 * @param {Options} options
 */
export async function serve({ roots, port = 0, isolated = true, ranges = true }) {
  /** @type {Served[]} */
  const log = [];
  const prefixes = Object.keys(roots).sort((a, b) => b.length - a.length);
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? "/", "http://host").pathname));
    const prefix = prefixes.find((prefix) => path.startsWith(prefix));
    let file = join(resolve(roots[prefix ?? ""] ?? "."), path.slice((prefix ?? "").length));
    let found = prefix === undefined ? undefined : await stat(file).catch(() => undefined);
    if (found?.isDirectory()) {
      file = join(file, "index.html");
      found = await stat(file).catch(() => undefined);
    }
    /** @type {Record<string, string | number>} */
    const headers = { "Cache-Control": "no-cache" };
    if (isolated) {
      headers["Cross-Origin-Opener-Policy"] = "same-origin";
      headers["Cross-Origin-Embedder-Policy"] = "require-corp";
      headers["Cross-Origin-Resource-Policy"] = "same-origin";
    }
    const range = request.headers.range;
    if (!found?.isFile()) {
      log.push({ path, status: 404, range, bytes: 0 });
      response.writeHead(404, headers).end();
      return;
    }
    let [start, end, status] = [0, found.size, 200];
    if (ranges) headers["Accept-Ranges"] = "bytes";
    const asked = /^bytes=(\d+)-(\d+)$/.exec(range ?? "");
    if (ranges && asked) {
      [start, end, status] = [Number(asked[1]), Math.min(Number(asked[2]) + 1, found.size), 206];
      if (start >= end) {
        response.writeHead(416, { ...headers, "Content-Range": `bytes */${found.size}` }).end();
        return;
      }
      headers["Content-Range"] = `bytes ${start}-${end - 1}/${found.size}`;
    }
    headers["Content-Type"] = TYPES[/** @type {keyof typeof TYPES} */ (extname(file))] ?? "application/octet-stream";
    headers["Content-Length"] = end - start;
    log.push({ path, status, range, bytes: end - start });
    response.writeHead(status, headers);
    if (request.method === "HEAD") response.end();
    else createReadStream(file, { start, end: end - 1 }).pipe(response);
  });
  await new Promise((listening) => server.listen(port, "127.0.0.1", () => listening(undefined)));
  const address = server.address();
  const url = `http://localhost:${typeof address === "object" && address ? address.port : port}/`;
  return {
    url,
    log,
    close: () =>
      new Promise((closed) => {
        server.close(closed);
        server.closeAllConnections();
      }),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      root: { type: "string", default: fileURLToPath(new URL("../dist", import.meta.url)) },
      port: { type: "string", default: "0" },
      isolated: { type: "string", default: "true" },
      ranges: { type: "string", default: "true" },
    },
  });
  const { url } = await serve({
    roots: { "/": values.root },
    port: Number(values.port),
    isolated: values.isolated === "true",
    ranges: values.ranges === "true",
  });
  console.log(url);
}
