// Removes the names of functions from a WebAssembly module, which only a debugger reads: a fifth of its bytes.
//
//   node .ci/strip-names.mjs MODULE.wasm
import { readFileSync, writeFileSync } from "node:fs";

const file = process.argv[2];
const bytes = readFileSync(file);

/** The LEB128 number at a place, and the place after it. */
function number(at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, at];
  }
}

const kept = [bytes.subarray(0, 8)];
for (let at = 8; at < bytes.length; ) {
  const [length, start] = number(at + 1);
  const end = start + length;
  const [nameLength, name] = bytes[at] === 0 ? number(start) : [0, start];
  const isNames = bytes[at] === 0 && bytes.toString("latin1", name, name + nameLength) === "name";
  if (!isNames) kept.push(bytes.subarray(at, end));
  at = end;
}
writeFileSync(file, Buffer.concat(kept));
