// Registers the service worker (sw.ts) of a built page.

const RELOADED = "sandtable-reloaded-for-isolation";

/**
 * Registers the service worker once `settled` has come, or at once where the page needs it for threads. In the latter
 * case the page loads again when the worker has taken control: once, whatever comes of it.
 */
export async function keepOffline(settled: Promise<unknown>): Promise<void> {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  const { serviceWorker } = navigator;
  const { waiting } = (await serviceWorker.getRegistration()) ?? {};
  if (waiting) {
    // A newer build was fetched during an earlier visit; this page has only begun and may as well begin with that one.
    serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
    waiting.postMessage("take over");
    return;
  }
  const wantsIsolation = !globalThis.crossOriginIsolated && !serviceWorker.controller && !wasReloaded();
  if (wantsIsolation) serviceWorker.addEventListener("controllerchange", reload, { once: true });
  else await settled;
  // A browser or a user may forbid service workers; the page works without.
  await serviceWorker.register(new URL("sw.js", document.baseURI)).catch(() => undefined);
}

function reload(): void {
  try {
    sessionStorage.setItem(RELOADED, "yes");
  } catch {
    // Without a memory of it, reloading could go on for ever.
    return;
  }
  location.reload();
}

function wasReloaded(): boolean {
  try {
    return sessionStorage.getItem(RELOADED) !== null;
  } catch {
    return true;
  }
}
