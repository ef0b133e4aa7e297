// Loads the package of a folder in Node.js.
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

export async function load(folder) {
  const place = resolve(folder);
  const sandtable = await import(pathToFileURL(join(place, "sandtable_wasm.js")).href);
  sandtable.initSync({ module: await readFile(join(place, "sandtable_wasm_bg.wasm")) });
  return sandtable;
}
