// Opens what the page names as a bundle: built in, on a server, or dropped.

import type { Bundle, Package, Plan } from "../package.ts";
import { type BundleSource, errorOf, failure, type OpenedBundle } from "../protocol.ts";
import { fileSource, httpSource, type Source } from "./ranges.ts";

/** Dropped files that are read as a whole; a larger set does not fit into the module's memory twice. */
const MOST_INGESTED = 256 * 1024 * 1024;

/** A bundle and where its bytes come from. */
export interface Open {
  bundle: Bundle;
  answer: OpenedBundle;
  /** Missing where all bytes are in memory already. */
  source?: Source;
}

/** Opens a bundle; addresses are relative to the address of the page. */
export async function openBundle(sandtable: Package, source: BundleSource, page: string): Promise<Open> {
  switch (source.kind) {
    case "builtIn":
      return inMemory(sandtable.Bundle.builtIn(source.name));
    case "url":
      return fromServer(sandtable, new URL(source.url, page));
    case "files": {
      const manifest = source.files.find((file) => file.name === "manifest.json");
      return manifest ? fromFolder(sandtable, manifest, source.files) : ingest(sandtable, source);
    }
  }
}

/** Reads a plan's bytes; ones that an earlier visit kept and that turn out damaged are fetched anew. */
export async function loadFor({ bundle, source }: Open, plan: Plan): Promise<void> {
  try {
    await bundle.load(plan);
  } catch (error) {
    if (!(await source?.forget())) throw error;
    await bundle.load(plan);
  }
}

function inMemory(bundle: Bundle): Open {
  return { bundle, answer: { info: bundle.info() } };
}

async function fromServer(sandtable: Package, url: URL): Promise<Open> {
  if (!url.pathname.endsWith("/manifest.json")) url = new URL(`${url.pathname.replace(/\/$/, "")}/manifest.json${url.search}`, url);
  const response = await fetch(url, { cache: "no-cache" }).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw errorOf(failure(`cannot read ${url.href}: ${why}`, "is the address right, and does its server allow other pages to read it (CORS)?"));
  });
  if (!response.ok) {
    throw errorOf(failure(`cannot read ${url.href}: the server answered ${response.status} ${response.statusText}`.trimEnd()));
  }
  const manifest = new Uint8Array(await response.arrayBuffer());
  // The files are known only from the opened manifest, and the reader from the files.
  let source: Source | undefined;
  const bundle = sandtable.Bundle.open(manifest, (ranges) => source?.read(ranges) ?? []);
  source = await httpSource(url.href, bundle.info());
  source.counts.read += manifest.length;
  return { ...inMemory(bundle), source };
}

async function fromFolder(sandtable: Package, manifest: File, files: File[]): Promise<Open> {
  const source = fileSource(files);
  const bytes = new Uint8Array(await manifest.arrayBuffer());
  source.counts.read += bytes.length;
  return { ...inMemory(sandtable.Bundle.open(bytes, source.read)), source };
}

async function ingest(sandtable: Package, { files, folder, ingest: options }: BundleSource & { kind: "files" }): Promise<Open> {
  const size = files.reduce((sum, file) => sum + file.size, 0);
  if (size > MOST_INGESTED) {
    const sentence = `the files have ${Math.ceil(size / 1048576)} MB; a page reads at most ${MOST_INGESTED / 1048576} MB of them at once`;
    throw errorOf(failure(sentence, "make a bundle of them with `sandtable ingest FILES --into NAME.bundle` and drop its folder"));
  }
  const named = await Promise.all(files.map(async (file) => ({ name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) })));
  const name = options?.name ?? folder?.replace(/\.bundle$/, "");
  const ingested = sandtable.Bundle.ingest(named, { ...options, ...(name !== undefined && { name }) });
  try {
    const bundle = ingested.bundle();
    return { bundle, answer: { info: bundle.info(), defects: ingested.defects(), defectCount: ingested.count } };
  } finally {
    ingested.free();
  }
}
