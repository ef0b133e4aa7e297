// The strategy's text: the gallery, the editor (loaded after the first run has begun), and what is wrong with it.

import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Editor } from "../editor/editor.ts";
import { editorWanted } from "../keyboard.ts";
import { readStrategy } from "../session.ts";
import { draft, engine, frame, loaded, strategy, strategyError, tooMany } from "../state.ts";

/** A text is read when nobody has typed for so long. */
const PAUSE_MS = 120;
/** Whether the column with the editor is wide. */
export const wide = signal(false);

export function StrategyPane() {
  const catalog = engine.value?.catalog;
  const error = strategyError.value;
  const current = catalog?.gallery.find((entry) => entry.source === draft.value);
  const pick = (event: Event) => {
    const entry = catalog?.gallery.find((one) => one.name === (event.currentTarget as HTMLSelectElement).value);
    if (entry) void readStrategy(entry.source, true);
  };
  return (
    <section class="strategy" aria-label="Strategy">
      <div class="title">
        <h2>Strategy</h2>
        <select data-testid="gallery" aria-label="Gallery of strategies" value={current?.name ?? ""} onChange={pick}>
          {!current && <option value="">{strategy.value?.name ?? ""} (edited)</option>}
          {catalog?.gallery.map((entry) => <option key={entry.name} value={entry.name}>{entry.name}</option>)}
        </select>
        <button type="button" class="plain widen" aria-pressed={wide.value} title="Give the editor more room" onClick={() => (wide.value = !wide.value)}>{wide.value ? "narrow" : "wide"}</button>
      </div>
      <EditorFrame />
      {error && (
        <div class="wrong" data-testid="editor-error" role="alert">
          <p>
            {error.place && error.place.line > 0 && <span class="place">line {error.place.line}{error.place.column > 0 ? `:${error.place.column}` : ""} </span>}
            {error.sentence ?? error.message}
          </p>
          {error.help && <p class="help">{error.help}</p>}
        </div>
      )}
    </section>
  );
}

function EditorFrame() {
  const parent = useRef<HTMLDivElement>(null);
  const editor = useRef<Editor | undefined>(undefined);
  const timer = useRef(0);
  const catalog = engine.value?.catalog;
  // The first run comes before the editor, whose code is larger than the rest of the page.
  const settled = useRef(false);
  settled.current ||= catalog !== undefined && (frame.value?.final === true || strategyError.value !== undefined || tooMany.value !== undefined);
  const ready = settled.current;
  useEffect(() => {
    if (!ready || !catalog || editor.current) return;
    void import("../editor/editor.ts").then(({ createEditor }) => {
      if (!parent.current || editor.current) return;
      editor.current = createEditor({
        parent: parent.current,
        text: draft.value,
        catalog,
        info: () => strategy.value,
        onEdit: (text) => {
          draft.value = text;
          clearTimeout(timer.current);
          timer.current = window.setTimeout(() => void readStrategy(text), PAUSE_MS);
        },
      });
      editor.current.mark(strategyError.value);
    });
  }, [ready]);
  useEffect(() => () => editor.current?.destroy(), []);
  // Not `draft`: while someone types, a text on its way round the page would be older than the one in the editor.
  const load = loaded.value;
  useEffect(() => editor.current?.show(load.text), [load]);
  const error = strategyError.value;
  useEffect(() => editor.current?.mark(error), [error]);
  const wanted = editorWanted.value;
  useEffect(() => {
    if (wanted > 0) editor.current?.focus();
  }, [wanted]);
  return (
    <div class="editor" data-testid="editor" ref={parent}>
      {!ready && <pre class="code waiting">{load.text}</pre>}
    </div>
  );
}
