// Light or dark: the system's choice until the reader makes one, which is then remembered.

import { computed, effect, signal } from "@preact/signals";
import { theme } from "./state.ts";

const KEY = "sandtable-theme";
const system = matchMedia("(prefers-color-scheme: dark)");
const systemDark = signal(system.matches);
system.addEventListener("change", () => (systemDark.value = system.matches));

export const dark = computed(() => (theme.value === "auto" ? systemDark.value : theme.value === "dark"));

export function restoreTheme(): void {
  try {
    const kept = localStorage.getItem(KEY);
    if (kept === "light" || kept === "dark") theme.value = kept;
  } catch {
    // A browser that keeps nothing follows the system.
  }
  effect(() => {
    document.documentElement.dataset["theme"] = dark.value ? "dark" : "light";
  });
}

export function toggleTheme(): void {
  theme.value = dark.value ? "light" : "dark";
  try {
    localStorage.setItem(KEY, theme.value);
  } catch {
    // The choice lasts as long as the page.
  }
}
