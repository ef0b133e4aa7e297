// The colour scale of the surface on screen, and the reader's wish for one.

import { computed, signal } from "@preact/signals";
import { surface } from "../state.ts";
import { dark } from "../theme.ts";
import type { Wish } from "./palette.ts";
import { fit } from "./palette.ts";

export const wish = signal<Wish>("auto");

export const palette = computed(() => surface.value && fit(surface.value.cells, surface.value.direction, dark.value, wish.value));
