// Where the bytes of a bundle's files come from: a server, asked for ranges, or files that were dropped on the page.

import type { BundleInfo, RangeReader } from "../package.ts";
import { ByteStore, type Range } from "./store.ts";

/** Ranges of one file that lie closer than this are fetched by one request. */
export const SMALL_GAP = 8 * 1024;

/** Bytes that were read, by where they came from. */
export interface Counts {
  read: number;
  fromStore: number;
}

/** A source of ranges, and what it has read so far. */
export interface Source {
  read: RangeReader;
  counts: Counts;
  /** Drops what earlier visits kept; whether there was any. */
  forget(): Promise<boolean>;
}

/** Joins ranges that touch, overlap or lie at most `gap` bytes apart; the result is in ascending order. */
export function merge(ranges: Range[], gap: number): Range[] {
  const merged: Range[] = [];
  for (const range of ranges.toSorted((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last && range.start <= last.end + gap) last.end = Math.max(last.end, range.end);
    else merged.push({ start: range.start, end: range.end });
  }
  return merged;
}

/** Reads slices of dropped files. */
export function fileSource(files: File[]): Source {
  const counts = { read: 0, fromStore: 0 };
  const byName = new Map(files.map((file) => [file.name, file]));
  return {
    counts,
    forget: () => Promise.resolve(false),
    read: (ranges) =>
      Promise.all(
        ranges.map(async ({ file: name, start, end }) => {
          const file = byName.get(name);
          if (!file) throw new Error(`the bundle's manifest names ${name}, which is not among the dropped files`);
          counts.read += end - start;
          return new Uint8Array(await file.slice(start, end).arrayBuffer());
        }),
      ),
  };
}

/** Reads ranges of the files of a bundle folder at `base`, and keeps them. */
export async function httpSource(base: string, info: BundleInfo): Promise<Source> {
  const counts = { read: 0, fromStore: 0 };
  const stores = await ByteStore.open(info.files.map((file) => file.blake3));
  const files = new Map<string, HttpFile>();
  for (const { name, bytes, blake3 } of info.files) {
    const store = stores.get(blake3);
    if (store) files.set(name, new HttpFile(new URL(name, base).href, bytes, store, counts));
  }
  return {
    counts,
    forget: async () => {
      const had = counts.fromStore > 0;
      await Promise.all(Array.from(stores.values(), (store) => store.forget()));
      return had;
    },
    read: async (ranges) => {
      const answers = new Map<string, Range[]>();
      for (const range of ranges) answers.set(range.file, [...(answers.get(range.file) ?? []), range]);
      const bytes = new Map<Range, Uint8Array>();
      await Promise.all(
        Array.from(answers, async ([name, wanted]) => {
          const file = files.get(name);
          if (!file) throw new Error(`the bundle's manifest has no file ${name}`);
          await file.read(wanted, bytes);
        }),
      );
      return ranges.map((range) => bytes.get(range) ?? new Uint8Array());
    },
  };
}

/** One file on a server. */
class HttpFile {
  /** Unknown until the first answer; a server that ignores ranges has given the whole file by then. */
  #first: Promise<Uint8Array<ArrayBuffer> | undefined> | undefined;

  constructor(
    readonly url: string,
    readonly length: number,
    readonly store: ByteStore,
    readonly counts: Counts,
  ) {}

  /** Puts the bytes of every wanted range into `into`. */
  async read<R extends Range>(wanted: R[], into: Map<Range, Uint8Array>): Promise<void> {
    const missing: R[] = [];
    for (const range of wanted) {
      const kept = await this.store.get(range);
      if (!kept) missing.push(range);
      else {
        this.counts.fromStore += kept.length;
        into.set(range, kept);
      }
    }
    await Promise.all(
      merge(missing, SMALL_GAP).map(async (span) => {
        const whole = await this.#first;
        const { bytes, start } = whole ? { bytes: whole, start: 0 } : await this.#fetch(span);
        for (const range of missing) {
          if (range.start < span.start || range.end > span.end) continue;
          const part = bytes.slice(range.start - start, range.end - start);
          into.set(range, part);
          if (bytes.length !== this.length) await this.store.put(range, part);
        }
      }),
    );
  }

  /** Fetches one span; while it is not known whether the server knows ranges, one request is under way at a time. */
  async #fetch(span: Range): Promise<{ bytes: Uint8Array<ArrayBuffer>; start: number }> {
    if (this.#first) {
      const whole = await this.#first;
      return whole ? { bytes: whole, start: 0 } : this.#request(span);
    }
    const answer = this.#request(span);
    this.#first = answer.then(({ bytes, whole }) => (whole ? bytes : undefined));
    this.#first.catch(() => (this.#first = undefined));
    return answer;
  }

  async #request(span: Range): Promise<{ bytes: Uint8Array<ArrayBuffer>; start: number; whole: boolean }> {
    // `no-store`: ranges are kept under their file's hash, not in the browser's cache as well.
    const response = await fetch(this.url, {
      headers: { range: `bytes=${span.start}-${span.end - 1}` },
      cache: "no-store",
    }).catch((error: unknown) => {
      throw new Error(`cannot read ${this.url}: ${error instanceof Error ? error.message : String(error)}`);
    });
    if (response.status !== 206 && response.status !== 200) {
      throw new Error(`cannot read ${this.url}: the server answered ${response.status} ${response.statusText}`.trimEnd());
    }
    const whole = response.status === 200;
    const expected = whole ? { start: 0, end: this.length } : span;
    if (!whole) checkContentRange(response.headers.get("content-range"), span, this.length, this.url);
    const bytes = new Uint8Array(await response.arrayBuffer());
    this.counts.read += bytes.length;
    if (bytes.length !== expected.end - expected.start) {
      const found = `the server sent ${bytes.length} bytes; expected ${expected.end - expected.start}`;
      throw new Error(`cannot read ${this.url}: ${found}`);
    }
    if (whole) await this.store.put(expected, bytes);
    return { bytes, start: expected.start, whole };
  }
}

/** Compares `Content-Range` with what was asked; servers of other origins may hide it, then the length must do. */
function checkContentRange(header: string | null, span: Range, length: number, url: string): void {
  if (header === null) return;
  const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(header.trim()) ?? [];
  const same = Number(first) === span.start && Number(last) === span.end - 1;
  if (!same || (total !== "*" && Number(total) !== length)) {
    throw new Error(
      `cannot read ${url}: the server sent "${header}"; expected bytes ${span.start}-${span.end - 1}/${length}, ` +
        "as the bundle's manifest says",
    );
  }
}
