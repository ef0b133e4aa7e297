// Files that leave the page: results, the heatmap as an image, the study, and the command of the native program.

import { useRef } from "preact/hooks";
import { command, copyNative, download, runName, save, saveStudy } from "./link.ts";
import { frame } from "./state.ts";
import { surfaceImage } from "./surface/image.ts";

export function ExportMenu() {
  const menu = useRef<HTMLDetailsElement>(null);
  const done = (act: () => void) => () => {
    act();
    menu.current?.removeAttribute("open");
  };
  const picture = async () => {
    const image = await surfaceImage();
    if (image) download(image, `${runName()}.png`);
  };
  return (
    <details
      class="menu" ref={menu} data-testid="export-menu"
      onKeyDown={(event) => event.key === "Escape" && menu.current?.removeAttribute("open")}
      onFocusOut={(event) => !menu.current?.contains(event.relatedTarget as Node | null) && event.relatedTarget !== null && menu.current?.removeAttribute("open")}
    >
      <summary>Export</summary>
      <div class="sheet">
        <button type="button" disabled={!frame.value} onClick={done(() => void save("parquet"))}>Results, Parquet</button>
        <button type="button" disabled={!frame.value} onClick={done(() => void save("csv"))}>Results, CSV</button>
        <button type="button" disabled={!frame.value} onClick={done(() => void picture())}>Heatmap, PNG</button>
        <button type="button" disabled={!frame.value} onClick={done(() => void saveStudy())}>Study, TOML</button>
        <NativeCommand />
      </div>
    </details>
  );
}

/** How the same study runs with the native program. */
export function NativeCommand() {
  return (
    <div class="native">
      <p>The same run with the native program:</p>
      <code data-testid="native-command">{command()}</code>
      <button type="button" onClick={() => void copyNative()}>Copy with the study</button>
    </div>
  );
}
