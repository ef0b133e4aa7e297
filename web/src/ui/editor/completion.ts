// Completion in the editor: indicators, functions, prices, the strategy's own parameters and columns, and the keys of a file.

import type { Completion, CompletionContext, CompletionResult, CompletionSource } from "@codemirror/autocomplete";
import { snippetCompletion } from "@codemirror/autocomplete";
import type { Catalog, StrategyInfo } from "../../engine/index.ts";
import { parameter } from "../format.ts";

const PRICES: [string, string][] = [
  ["open", "First price of the bar."],
  ["high", "Highest price of the bar."],
  ["low", "Lowest price of the bar."],
  ["close", "Last price of the bar."],
  ["volume", "Units traded in the bar."],
];
const POSITION: [string, string][] = [
  ["n_symbols", "Number of symbols of the run."],
  ["position", "Signed units held, 0 when flat; in entries, exits and size."],
  ["entry_price", "Price of the entry, undefined when flat."],
  ["bars_held", "Bars since the entry's fill."],
  ["highest_since_entry", "Highest price since the entry, undefined when flat."],
  ["lowest_since_entry", "Lowest price since the entry, undefined when flat."],
];
const KEYS: Record<string, [string, string, string][]> = {
  "": [["name", 'name = "${}"', "Name of the strategy."], ["description", 'description = "${}"', "What it does, and where the idea is from."],
    ["[params]", "[params]\n", "Parameters and their values."], ["[columns]", "[columns]\n", "Expressions with names."], ["[rules]", "[rules]\n", "A target weight, or entries and exits."]],
  params: [["int", '${name} = { type = "int", min = ${5}, max = ${100}, step = ${5}, default = ${20} }', "Whole numbers."],
    ["float", '${name} = { type = "float", min = ${0}, max = ${1}, step = ${0.1}, default = ${0.5} }', "Numbers with a step."],
    ["choice", '${name} = { type = "choice", values = [${5, 10, 15}] }', "The listed numbers."], ["bool", '${name} = { type = "bool" }', "A condition in expressions."]],
  rules: [["target", 'target = "${}"', "Fraction of equity to hold, negative for short."], ["rebalance", 'rebalance = "${on_change}"', "When the target is acted upon."],
    ["enter_long", 'enter_long = "${}"', "Condition that opens a long position."], ["exit_long", 'exit_long = "${}"', "Condition that closes it."],
    ["enter_short", 'enter_short = "${}"', "Condition that opens a short position."], ["exit_short", 'exit_short = "${}"', "Condition that closes it."],
    ["size", 'size = "${1 / n_symbols}"', "Size of an entry."], ["size_in", 'size_in = "${equity}"', "equity, shares, value, buying_power, risk or volatility."],
    ["stop_loss", 'stop_loss = "${0.05}"', "Leave at this loss; a fraction of the price without stop_loss_in."], ["stop_loss_in", 'stop_loss_in = "${amount}"', "fraction, amount or price."],
    ["take_profit", 'take_profit = "${0.1}"', "Leave at this profit."], ["take_profit_in", 'take_profit_in = "${amount}"', "fraction, amount or price."],
    ["trailing_stop", 'trailing_stop = "${0.1}"', "Leave this far below the best price since the entry."], ["trailing_stop_in", 'trailing_stop_in = "${amount}"', "fraction or amount."],
    ["break_even", 'break_even = "${0.05}"', "Profit at which the stop-loss moves to the entry."], ["break_even_in", 'break_even_in = "${amount}"', "fraction or amount."],
    ["time_stop", "time_stop = ${20}", "Leave after so many bars."], ["max_entries", "max_entries = ${2}", "Most entries on one side at a time."],
    ["entry_limit", 'entry_limit = "${low}"', "Enter at this price or a better one."], ["entry_limit_in", 'entry_limit_in = "${fraction}"', "price, fraction or amount."],
    ["entry_stop", 'entry_stop = "${highest(high, 20)}"', "Enter once the market gets there."], ["entry_stop_in", 'entry_stop_in = "${fraction}"', "price, fraction or amount."],
    ["entry_bars", "entry_bars = ${3}", "Bars for which an entry with a price waits."]],
};

/** Options that depend on the engine alone. */
function vocabulary(catalog: Catalog): Completion[] {
  const indicators = catalog.indicators.map((indicator) => {
    const params = indicator.params.map((param) => `${param.name} = ${parameter(param.default)}`).join(", ");
    const arguments_ = [...indicator.inputs, ...indicator.params.map((param) => param.name)];
    const outputs = indicator.outputs.length > 1 ? ` Outputs: ${indicator.outputs.map((name) => `.${name}`).join(" ")}` : "";
    return snippetCompletion(`${indicator.name}(\${})`, {
      label: indicator.name,
      detail: `(${arguments_.join(", ")})`,
      info: [indicator.doc, params, outputs].filter(Boolean).join("\n"),
      type: "function",
    });
  });
  const functions = catalog.functions.map((entry): Completion => {
    const info = { label: entry.name, detail: entry.usage.replace(entry.name, ""), info: entry.doc, type: "function" };
    return entry.usage.includes("(") ? snippetCompletion(`${entry.name}(\${})`, info) : info;
  });
  const plain = (type: string) => ([label, info]: [string, string]): Completion => ({ label, info, type, boost: 1 });
  const words = ["and", "or", "not"].map((label): Completion => ({ label, type: "keyword" }));
  return [...indicators, ...functions, ...PRICES.map(plain("property")), ...POSITION.map(plain("constant")), ...words];
}

/** The table of the file that a position is in, and whether it is inside a string. */
function situation(context: CompletionContext): { table: string; inString: boolean; atStart: boolean } {
  const line = context.state.doc.lineAt(context.pos);
  const before = line.text.slice(0, context.pos - line.from);
  let table = "";
  for (let number = line.number - 1; number >= 1; number--) {
    const match = /^\s*\[([\w.]+)\]/.exec(context.state.doc.line(number).text);
    if (match) {
      table = match[1] ?? "";
      break;
    }
  }
  return { table, inString: (before.match(/"/g) ?? []).length % 2 === 1, atStart: /^\s*[\w[]*$/.test(before) };
}

/** Completes for this engine; `info` gives the strategy as it was last understood. */
export function strategyCompletion(catalog: Catalog, info: () => StrategyInfo | undefined): CompletionSource {
  const known = vocabulary(catalog);
  return (context): CompletionResult | null => {
    const { table, inString, atStart } = situation(context);
    if (inString && (table === "rules" || table === "columns")) {
      const word = context.matchBefore(/[A-Za-z_]\w*$/);
      if (!word && !context.explicit) return null;
      const strategy = info();
      const own: Completion[] = [
        ...(strategy?.params ?? []).map((param): Completion => ({ label: param.name, type: "variable", detail: "parameter", boost: 3 })),
        ...(strategy?.columns ?? []).map((label): Completion => ({ label, type: "variable", detail: "column", boost: 2 })),
      ];
      return { from: word?.from ?? context.pos, options: [...own, ...known], validFor: /^\w*$/ };
    }
    if (inString || !atStart) return null;
    const word = context.matchBefore(/[\w[]+$/);
    if (!word && !context.explicit) return null;
    const options = (KEYS[table] ?? []).map(([label, template, doc]) => snippetCompletion(template, { label, info: doc, type: "keyword" }));
    return { from: word?.from ?? context.pos, options };
  };
}
