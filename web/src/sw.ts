// The service worker: keeps the built page for use without a network, and isolates it on hosts that do not send the
// headers for that (without isolation a browser shares no memory between threads).
//
// It answers only for files of this build, all of them fetched when it is installed. A newer build is fetched into a
// cache of its own and takes over when no page uses the older one any more, or when the only one asks for it (offline.ts);
// then the older one's cache goes.

const sw = self as unknown as ServiceWorkerGlobalScope;

/** Both set by the build (scripts/assets.ts). */
declare const SANDTABLE_VERSION: string;
declare const SANDTABLE_FILES: string[];

const PREFIX = "sandtable-page-";
const CACHE = PREFIX + SANDTABLE_VERSION;
const PAGE = new URL("index.html", sw.registration.scope).href;
const FILES = new Set(SANDTABLE_FILES.map((file) => new URL(file, sw.registration.scope).href));

sw.addEventListener("install", (event) => {
  event.waitUntil(
    caches.open(CACHE).then((cache) =>
      // Files whose names hold a hash come from the browser's own cache if they are there; the others are asked for.
      cache.addAll([...FILES].map((url) => new Request(url, { cache: hashed(url) ? "default" : "no-cache" }))),
    ),
  );
});

/** Whether the file's address changes with its content. */
function hashed(url: string): boolean {
  return /\/(assets|pkg)\//.test(url);
}

sw.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== CACHE).map((name) => caches.delete(name))))
      .then(() => sw.clients.claim()),
  );
});

sw.addEventListener("message", (event) => {
  if (event.data === "take over") event.waitUntil(takeOver());
});

sw.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  url.search = "";
  url.hash = "";
  if (request.method !== "GET" || request.headers.has("range") || !url.href.startsWith(sw.registration.scope)) return;
  const isPage = request.mode === "navigate" && (url.href === sw.registration.scope || url.href === PAGE);
  if (isPage) event.respondWith(answer(PAGE));
  else if (FILES.has(url.href)) event.respondWith(answer(url.href));
});

/** Replaces the older build if just one page would notice: another one may still have to load parts of it. */
async function takeOver(): Promise<void> {
  if ((await sw.clients.matchAll({ includeUncontrolled: true })).length < 2) await sw.skipWaiting();
}

async function answer(url: string): Promise<Response> {
  const response = (await (await caches.open(CACHE)).match(url)) ?? (await fetch(url));
  const headers = new Headers(response.headers);
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  headers.set("Cross-Origin-Resource-Policy", "same-origin");
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}
