// Bytes of bundles, kept between visits under the hash of the file that they are part of.
//
// A name says what the bytes are (file hash and range), so nothing kept here can be out of date; the core checks
// their checksums all the same. Browsers without a Cache (pages that are not served securely) keep nothing.

const CACHE = "sandtable-bytes-1";

export interface Range {
  start: number;
  /** Exclusive. */
  end: number;
}

/** The kept ranges of one file. */
export class ByteStore {
  readonly #cache: Cache | undefined;
  readonly #hash: string;
  readonly #kept: Range[];

  private constructor(cache: Cache | undefined, hash: string, kept: Range[]) {
    this.#cache = cache;
    this.#hash = hash;
    this.#kept = kept;
  }

  /** Opens the store for files with these hashes (BLAKE3 in hex). */
  static async open(hashes: string[]): Promise<Map<string, ByteStore>> {
    const cache = typeof caches === "undefined" ? undefined : await caches.open(CACHE).catch(() => undefined);
    const kept = new Map(hashes.map((hash) => [hash, [] as Range[]]));
    for (const request of (await cache?.keys()) ?? []) {
      const [, hash = "", start, end] = /\/([0-9a-f]+)\/(\d+)-(\d+)$/.exec(request.url) ?? [];
      kept.get(hash)?.push({ start: Number(start), end: Number(end) });
    }
    return new Map(Array.from(kept, ([hash, ranges]) => [hash, new ByteStore(cache, hash, ranges)]));
  }

  /** The bytes of a range, if a kept one covers it. */
  async get(range: Range): Promise<Uint8Array | undefined> {
    const cover = this.#kept.find((kept) => kept.start <= range.start && kept.end >= range.end);
    const response = cover && (await this.#cache?.match(this.#url(cover)));
    if (!cover || !response) return undefined;
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (bytes.length !== cover.end - cover.start) return undefined;
    return bytes.subarray(range.start - cover.start, range.end - cover.start);
  }

  /** Keeps a range; a full disk only means that the next visit downloads it again. */
  async put(range: Range, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    try {
      await this.#cache?.put(this.#url(range), new Response(bytes));
      this.#kept.push({ start: range.start, end: range.end });
    } catch {
      await caches.delete(CACHE).catch(() => false);
    }
  }

  /** Forgets the file, because what was kept of it did not have its checksum. */
  async forget(): Promise<void> {
    const ranges = this.#kept.splice(0);
    await Promise.all(ranges.map((range) => this.#cache?.delete(this.#url(range))));
  }

  #url(range: Range): string {
    return new URL(`/.bytes/${this.#hash}/${range.start}-${range.end}`, self.location.origin).href;
  }
}
