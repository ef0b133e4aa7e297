// Files dropped anywhere on the page become the bundle; while they hover, the page says so.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { dropped } from "../engine/drop.ts";
import { openBundle } from "./session.ts";
import { notify } from "./state.ts";

const over = signal(false);

export function DropZone() {
  useEffect(() => {
    let depth = 0;
    const files = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    const enter = (event: DragEvent) => {
      if (!files(event)) return;
      depth += 1;
      over.value = true;
    };
    const leave = (event: DragEvent) => {
      if (!files(event)) return;
      depth = Math.max(depth - 1, 0);
      if (depth === 0) over.value = false;
    };
    const hovering = (event: DragEvent) => files(event) && event.preventDefault();
    const drop = (event: DragEvent) => {
      depth = 0;
      over.value = false;
      if (!event.dataTransfer || !files(event)) return;
      event.preventDefault();
      dropped(event.dataTransfer).then(openBundle, (error: Error) => notify("error", "bundle", error.message));
    };
    addEventListener("dragenter", enter);
    addEventListener("dragleave", leave);
    addEventListener("dragover", hovering);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragenter", enter);
      removeEventListener("dragleave", leave);
      removeEventListener("dragover", hovering);
      removeEventListener("drop", drop);
    };
  }, []);
  return (
    <div class={over.value ? "drop over" : "drop"} data-testid="drop-zone" aria-hidden="true">
      <p>Drop a bundle’s folder, a Parquet file or CSV.<br /><small>It is read here and goes nowhere.</small></p>
    </div>
  );
}
