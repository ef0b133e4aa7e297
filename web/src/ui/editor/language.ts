// Highlighting of a strategy: TOML whose strings hold expressions of the strategy language.
//
// A stream tokenizer is enough: meaning and errors come from the engine, this only colours.

import type { StreamParser } from "@codemirror/language";
import { HighlightStyle, StreamLanguage, syntaxHighlighting } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { tags } from "@lezer/highlight";

export interface Words {
  indicators: ReadonlySet<string>;
  functions: ReadonlySet<string>;
}

interface State {
  table: string;
  key: string;
  /** Text that ends the current string, or "" outside of strings. */
  quote: string;
  expression: boolean;
}

const FIELDS = new Set(["open", "high", "low", "close", "volume"]);
const OPERATORS = new Set(["and", "or", "not"]);
const CONSTANTS = new Set(["n_symbols", "position", "entry_price", "bars_held", "highest_since_entry", "lowest_since_entry"]);
const PLAIN_KEYS = new Set(["name", "description", "rebalance", "type", "scale", "size_in", "stop_loss_in", "take_profit_in", "trailing_stop_in",
  "break_even_in", "entry_limit_in", "entry_stop_in"]);
const REBALANCE = new Set(["on_change", "every_bar", "weekly", "monthly"]);

function parser(words: Words): StreamParser<State> {
  return {
    startState: () => ({ table: "", key: "", quote: "", expression: false }),
    token(stream, state) {
      if (state.quote !== "") return inString(stream, state, words);
      if (stream.sol()) state.key = "";
      if (stream.eatSpace()) return null;
      if (stream.match(/^#.*/)) return "comment";
      const table = stream.sol() || state.key === "" ? stream.match(/^\[+([\w.]+)\]+/) : null;
      if (table && table !== true) {
        state.table = table[1] ?? "";
        return "heading";
      }
      const key = stream.match(/^[\w-]+(?=\s*=)/);
      if (key && key !== true) {
        state.key = key[0];
        return "propertyName";
      }
      const quote = stream.match(/^("""|'''|"|')/);
      if (quote && quote !== true) {
        state.quote = quote[1] ?? '"';
        state.expression = (state.table === "columns" || state.table === "rules") && !PLAIN_KEYS.has(state.key);
        if (state.key === "rebalance") state.expression = !REBALANCE.has((/^\w*/.exec(stream.string.slice(stream.pos)) ?? [""])[0]);
        return "string";
      }
      if (stream.match(/^[+-]?(\d[\d_]*\.?\d*|\.\d+)([eE][+-]?\d+)?/)) return "number";
      if (stream.match(/^(true|false)\b/)) return "bool";
      if (stream.match(/^\w+/)) return "variableName";
      stream.next();
      return "punctuation";
    },
    copyState: (state) => ({ ...state }),
    languageData: { commentTokens: { line: "#" }, closeBrackets: { brackets: ["(", "[", "{", '"'] } },
    tokenTable: {},
  };
}

function inString(stream: Parameters<StreamParser<State>["token"]>[0], state: State, words: Words): string {
  if (stream.match(state.quote)) {
    state.quote = "";
    return "string";
  }
  // A string of one line that is not closed ends with it; the engine says what is wrong.
  if (state.quote.length === 1 && stream.sol()) state.quote = "";
  if (!state.expression) {
    while (!stream.eol() && !stream.match(state.quote, false)) stream.next();
    if (stream.eol() && state.quote.length === 1) state.quote = "";
    return "string";
  }
  if (stream.eatSpace()) return "string";
  if (stream.match(/^(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?/)) return "number";
  const word = stream.match(/^[A-Za-z_]\w*/);
  if (word && word !== true) {
    const text = word[0];
    if (OPERATORS.has(text)) return "operatorKeyword";
    if (FIELDS.has(text)) return "typeName";
    if (CONSTANTS.has(text)) return "atom";
    if (words.indicators.has(text) || words.functions.has(text)) return "labelName";
    return "variableName";
  }
  stream.next();
  if (stream.eol() && state.quote.length === 1) state.quote = "";
  return "operator";
}

const style = HighlightStyle.define([
  { tag: tags.comment, color: "var(--ink-3)", fontStyle: "italic" },
  { tag: tags.heading, color: "var(--ink)", fontWeight: "700" },
  { tag: tags.propertyName, color: "var(--ink-2)" },
  { tag: tags.string, color: "var(--code-text)" },
  { tag: tags.number, color: "var(--code-number)" },
  { tag: tags.bool, color: "var(--code-number)" },
  { tag: tags.labelName, color: "var(--accent)" },
  { tag: tags.typeName, color: "var(--code-field)" },
  { tag: tags.atom, color: "var(--code-field)" },
  { tag: tags.operatorKeyword, color: "var(--ink)", fontWeight: "600" },
  { tag: tags.operator, color: "var(--ink-2)" },
  { tag: tags.punctuation, color: "var(--ink-3)" },
  { tag: tags.variableName, color: "var(--ink)" },
]);

/** The language of strategies, with the words that this engine knows. */
export function strategyLanguage(words: Words): Extension {
  return [StreamLanguage.define(parser(words)), syntaxHighlighting(style)];
}
