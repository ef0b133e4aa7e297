// The strategy editor: a CodeMirror view with the strategy language, completion, and the engine's errors under their words.
//
// This file and what it imports is a chunk of its own: the page loads it after the first run has begun.

import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentLess, indentMore } from "@codemirror/commands";
import { bracketMatching, codeFolding, foldEffect, foldService, unfoldAll } from "@codemirror/language";
import type { Diagnostic } from "@codemirror/lint";
import { lintKeymap, setDiagnostics } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, highlightSpecialChars, keymap, lineNumbers } from "@codemirror/view";
import type { Catalog, SandtableError, StrategyInfo } from "../../engine/index.ts";
import { strategyCompletion } from "./completion.ts";
import { strategyLanguage } from "./language.ts";

export interface Editor {
  focus(): void;
  /** Replaces the text, unless it is there already. */
  show(text: string): void;
  mark(error: SandtableError | undefined): void;
  destroy(): void;
}

export interface EditorOptions {
  parent: HTMLElement;
  text: string;
  catalog: Catalog;
  info: () => StrategyInfo | undefined;
  onEdit: (text: string) => void;
}

export function createEditor(options: EditorOptions): Editor {
  const { catalog } = options;
  let quiet = false;
  const words = {
    indicators: new Set(catalog.indicators.map((entry) => entry.name)),
    functions: new Set(catalog.functions.map((entry) => entry.name)),
  };
  const view = new EditorView({
    parent: options.parent,
    state: EditorState.create({
      doc: options.text,
      extensions: [
        lineNumbers(),
        EditorView.lineWrapping,
        highlightSpecialChars(),
        history(),
        drawSelection(),
        bracketMatching(),
        codeFolding(),
        foldService.of(longText),
        closeBrackets(),
        highlightActiveLine(),
        autocompletion({ override: [strategyCompletion(catalog, options.info)], icons: false, maxRenderedOptions: 60 }),
        strategyLanguage(words),
        // Tab leaves the editor, as everywhere on the page; Mod-] and Mod-[ indent.
        keymap.of([
          { key: "Mod-]", run: indentMore },
          { key: "Mod-[", run: indentLess },
          { key: "Ctrl-Alt-]", run: unfoldAll },
          ...closeBracketsKeymap,
          ...completionKeymap,
          ...lintKeymap,
          ...historyKeymap,
          ...defaultKeymap,
        ]),
        EditorView.contentAttributes.of({ "aria-label": "Strategy, TOML", spellcheck: "false", autocapitalize: "off", autocorrect: "off" }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged && !quiet) options.onEdit(update.state.doc.toString());
        }),
      ],
    }),
  });
  foldLongTexts(view);
  return {
    focus: () => view.focus(),
    show(text) {
      if (view.state.doc.toString() === text) return;
      quiet = true;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text }, scrollIntoView: false });
      foldLongTexts(view);
      quiet = false;
    },
    mark(error) {
      view.dispatch(setDiagnostics(view.state, error ? [diagnostic(view.state, error)] : []));
    },
    destroy: () => view.destroy(),
  };
}

/** Where an error of the engine lies in the text: its columns count characters, the editor's count UTF-16 units. */
function diagnostic(state: EditorState, error: SandtableError): Diagnostic {
  const place = error.place;
  const number = Math.min(Math.max(place?.line ?? 1, 1), state.doc.lines);
  const line = state.doc.line(number);
  const characters = Array.from(line.text);
  const units = (count: number) => characters.slice(0, Math.max(count, 0)).join("").length;
  const column = place?.column ?? 0;
  let from = column > 0 ? line.from + units(column - 1) : line.from;
  let to = column > 0 ? line.from + units(column - 1 + Math.max(place?.width ?? 1, 1)) : line.to;
  if (from >= to) from = Math.max(line.from, Math.min(from, line.to) - 1);
  to = Math.min(Math.max(to, from), line.to);
  return { from, to, severity: "error", message: error.help ? `${error.sentence}\n${error.help}` : error.sentence };
}

/** The lines of a text in triple quotation marks that begins on this line, which may be folded away. */
function longText(state: EditorState, from: number): { from: number; to: number } | null {
  const line = state.doc.lineAt(from);
  const opening = /=\s*"""/.exec(line.text);
  if (!opening) return null;
  const end = state.doc.sliceString(line.to).indexOf('"""');
  return end > 0 ? { from: line.to, to: line.to + end } : null;
}

/** Folds descriptions, so that parameters and rules are seen first. */
function foldLongTexts(view: EditorView): void {
  const { doc } = view.state;
  for (let number = 1; number <= Math.min(doc.lines, 20); number++) {
    const fold = longText(view.state, doc.line(number).from);
    if (fold) view.dispatch({ effects: foldEffect.of(fold) });
  }
}
