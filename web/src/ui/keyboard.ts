// Keys that work anywhere on the page, except while text is being typed.

import { signal } from "@preact/signals";
import { copyLink } from "./link.ts";
import { followBest, pin, unpin } from "./selection.ts";
import { pinned, shortcutsShown } from "./state.ts";
import { toggleTheme } from "./theme.ts";

/** Counts the wishes to be in the editor; the editor listens. */
export const editorWanted = signal(0);

export interface Shortcut {
  keys: string;
  does: string;
}

export const shortcuts: Shortcut[] = [
  { keys: "/", does: "to the strategy editor (Esc leaves it)" },
  { keys: "h", does: "to the heatmap" },
  { keys: "← ↑ → ↓", does: "on the heatmap: the neighbouring trial; with Shift five cells" },
  { keys: "Enter", does: "on the heatmap: pin the trial for comparison, or let it go" },
  { keys: "p", does: "pin the selected trial" },
  { keys: "u", does: "let the pinned trial go" },
  { keys: "b", does: "follow the best trial again" },
  { keys: "l", does: "copy a link to this run" },
  { keys: "t", does: "light or dark" },
  { keys: "?", does: "this list" },
];

export function keyPressed(event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
  if (event.key === "Escape" && shortcutsShown.value) {
    shortcutsShown.value = false;
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.key === "Escape" && target.closest(".editor")) {
    focusHeatmap();
    return;
  }
  if (target.closest(".editor, select, textarea") || (target instanceof HTMLInputElement && !["range", "checkbox", "radio"].includes(target.type))) return;
  const act = actions[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

const actions: Record<string, () => void> = {
  "/": () => (editorWanted.value += 1),
  "?": () => (shortcutsShown.value = !shortcutsShown.value),
  h: focusHeatmap,
  p: pin,
  u: () => pinned.value && unpin(),
  b: followBest,
  l: () => void copyLink(),
  t: toggleTheme,
};

function focusHeatmap(): void {
  document.querySelector<HTMLElement>('[data-testid="heatmap"]')?.focus();
}
