// Name of the page, the bundle, and what leaves the page: link, files, command.

import { signal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { chosen } from "../engine/drop.ts";
import { decimal } from "./format.ts";
import { copyLink } from "./link.ts";
import { ExportMenu } from "./ExportMenu.tsx";
import { nameOf, openBundle } from "./session.ts";
import { bundle, engine, shortcutsShown, source } from "./state.ts";
import { dark, toggleTheme } from "./theme.ts";

const asking = signal(false);

export function Header() {
  return (
    <header class="head">
      <h1>sandtable</h1>
      <BundlePicker />
      <nav aria-label="Page">
        <button type="button" data-testid="permalink-button" title="Copy a link to this run (l)" onClick={() => void copyLink()}><span class="long">Copy link</span><span class="brief">Link</span></button>
        <ExportMenu />
        <button type="button" class="icon" title={dark.value ? "Light (t)" : "Dark (t)"} aria-label={dark.value ? "Light theme" : "Dark theme"} onClick={toggleTheme}>
          <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true"><circle cx="8" cy="8" r="6.5" fill="none" stroke="currentColor" /><path d="M8 1.5a6.5 6.5 0 0 1 0 13z" fill="currentColor" /></svg>
        </button>
        <button type="button" class="icon keys" title="Keyboard (?)" aria-label="Keyboard shortcuts" onClick={() => (shortcutsShown.value = true)}>?</button>
      </nav>
    </header>
  );
}

function BundlePicker() {
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const builtIn = engine.value?.catalog.bundles ?? [{ name: "mag8", doc: "" }];
  const current = source.value.kind === "builtIn" ? source.value.name : "current";
  const info = bundle.value?.info;
  const pick = (event: Event) => {
    const select = event.currentTarget as HTMLSelectElement;
    const wanted = select.value;
    select.value = current;
    if (wanted === "url") asking.value = true;
    else if (wanted === "files") files.current?.click();
    else if (wanted === "folder") folder.current?.click();
    else if (wanted !== "current") void openBundle({ kind: "builtIn", name: wanted });
  };
  const take = (event: Event) => {
    const input = event.currentTarget as HTMLInputElement;
    if (input.files && input.files.length > 0) void openBundle(chosen(input.files));
    input.value = "";
  };
  const openUrl = (event: Event) => {
    event.preventDefault();
    const url = String(new FormData(event.currentTarget as HTMLFormElement).get("url") ?? "").trim();
    asking.value = false;
    if (url !== "") void openBundle({ kind: "url", url });
  };
  return (
    <div class="bundle">
      <label class="visually-hidden" for="bundle">Bundle of prices</label>
      <select id="bundle" value={current} onChange={pick} data-testid="bundle-select">
        {current === "current" && <option value="current">{info?.name ?? nameOf(source.value)}</option>}
        <optgroup label="Built in">{builtIn.map((one) => <option key={one.name} value={one.name} title={one.doc}>{one.name}</option>)}</optgroup>
        <optgroup label="Yours">
          <option value="files">Parquet or CSV files …</option>
          <option value="folder">Bundle folder …</option>
          <option value="url">Bundle at an address …</option>
        </optgroup>
      </select>
      <input ref={files} type="file" multiple hidden accept=".parquet,.csv,.gz,.txt,.json" onChange={take} data-testid="file-input" />
      <input ref={folder} type="file" multiple hidden onChange={take} {...{ webkitdirectory: true }} />
      {asking.value ? (
        <form class="url" onSubmit={openUrl}>
          <input name="url" type="text" inputMode="url" placeholder="https://…/NAME.bundle/" aria-label="Address of a bundle folder" autoFocus onKeyDown={(event) => event.key === "Escape" && (asking.value = false)} />
          <button type="submit">Open</button>
        </form>
      ) : (
        info && (
          <p class="about" title={`${info.source}\n${info.licence}\nversion ${info.version}`}>
            {info.symbols.length} {info.symbols.length === 1 ? "symbol" : "symbols"} · {decimal(info.rows, 0)} {info.frequency} bars · <span class="code">{info.version.slice(0, 8)}</span>
            <span class="hint"> · drop your own anywhere</span>
          </p>
        )
      )}
    </div>
  );
}
