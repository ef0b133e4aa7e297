// Prints the fingerprints of the wasm package in the folder given as the first argument, as one JSON object.
const { resolve } = require("node:path");

const sandtable = require(resolve(process.argv[2], "sandtable_wasm.js"));
process.stdout.write(JSON.stringify(sandtable.fingerprints()));
