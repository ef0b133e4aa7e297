// Prints the fingerprints of the package in the folder given as the first argument, as one JSON object.
import { load } from "./package.mjs";

const sandtable = await load(process.argv[2]);
process.stdout.write(JSON.stringify(sandtable.fingerprints()));
