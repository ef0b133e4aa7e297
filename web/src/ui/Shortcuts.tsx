// The list of keys, over the page.

import { useEffect, useRef } from "preact/hooks";
import { shortcuts } from "./keyboard.ts";
import { shortcutsShown } from "./state.ts";

export function Shortcuts() {
  const dialog = useRef<HTMLDialogElement>(null);
  const shown = shortcutsShown.value;
  useEffect(() => {
    if (shown && !dialog.current?.open) dialog.current?.showModal();
    if (!shown && dialog.current?.open) dialog.current.close();
  }, [shown]);
  return (
    <dialog ref={dialog} class="shortcuts" aria-label="Keyboard" onClose={() => (shortcutsShown.value = false)} onClick={(event) => event.target === dialog.current && (shortcutsShown.value = false)}>
      <h2>Keyboard</h2>
      <dl>
        {shortcuts.map(({ keys, does }) => (
          <div key={keys}>
            <dt><kbd>{keys}</kbd></dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <p class="note">
        Charts over time: <a href="https://www.tradingview.com/" target="_blank" rel="noreferrer">TradingView Lightweight Charts™, Copyright (c) 2025 TradingView, Inc.</a>
      </p>
      <button type="button" class="plain" onClick={() => (shortcutsShown.value = false)}>Close</button>
    </dialog>
  );
}
