// The two builds of the WebAssembly module: which one this page can run, where it lies, and its compilation.

import { failure, errorOf } from "./protocol.ts";

export type Build = "threads" | "single";

/** Where the built packages lie, relative to the page; set by the build (scripts/assets.ts). */
declare const SANDTABLE_PACKAGE: string;

/** A module with one function that uses a 128-bit vector; it is valid exactly where SIMD is there. */
const SIMD = Uint8Array.from([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
]);

/** The build for this page: threads need shared memory, which browsers give to isolated pages only. */
export function pickBuild(): Build {
  if (typeof WebAssembly === "undefined" || !WebAssembly.validate(SIMD)) {
    throw errorOf(
      failure(
        "this browser has no WebAssembly SIMD, which the engine needs",
        "use Chrome or Edge 110, Firefox 115, Safari 16.4, or newer ones",
      ),
    );
  }
  return globalThis.crossOriginIsolated ? "threads" : "single";
}

/** Address of the glue module of a build. */
export function glueUrl(build: Build): string {
  return new URL(`${SANDTABLE_PACKAGE}${build}/sandtable_wasm.js`, document.baseURI).href;
}

/** Fetches and compiles a build's module. */
export async function compile(build: Build): Promise<WebAssembly.Module> {
  const url = new URL(`${SANDTABLE_PACKAGE}${build}/sandtable_wasm_bg.wasm`, document.baseURI);
  const response = await fetch(url);
  if (!response.ok) throw errorOf(failure(`cannot read ${url.pathname}: the server answered ${response.status}`));
  // Hosts that do not know the type of a .wasm file rule out compiling while it arrives.
  const known = response.headers.get("content-type")?.startsWith("application/wasm");
  return known ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
}
