// The selected trial: its equity, months, trades and metrics, beside the pinned one if there is one.

import { signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { inUnit, parameter } from "../format.ts";
import { followBest, pin, unpin } from "../selection.ts";
import { chosen, metricsByName, pinned, trial, trialPlan } from "../state.ts";
import { EquityView } from "./EquityView.tsx";
import { MetricsTable } from "./MetricsTable.tsx";
import { MonthsTable } from "./MonthsTable.tsx";
import { TradesView } from "./TradesView.tsx";

const TABS: { name: string; View: ComponentType }[] = [
  { name: "Equity", View: EquityView },
  { name: "Months", View: MonthsTable },
  { name: "Trades", View: TradesView },
  { name: "Metrics", View: MetricsTable },
];
const open = signal("Equity");

export function TrialPanel() {
  const View = TABS.find((tab) => tab.name === open.value)?.View ?? EquityView;
  const move = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = TABS[(TABS.findIndex((tab) => tab.name === open.value) + step + TABS.length) % TABS.length];
    if (!next) return;
    open.value = next.name;
    document.getElementById(`tab-${next.name}`)?.focus();
  };
  return (
    <section class="trial" data-testid="trial-panel" data-trial={trial.value?.index} data-run={trialPlan.value?.id} aria-label="Selected trial">
      <div class="title">
        <div class="tabs" role="tablist" aria-label="Views of the trial" onKeyDown={move}>
          {TABS.map(({ name }) => (
            <button
              key={name} id={`tab-${name}`} type="button" role="tab" aria-selected={open.value === name} aria-controls="trial-view" tabIndex={open.value === name ? 0 : -1}
              onClick={() => (open.value = name)}
            >
              {name}
            </button>
          ))}
        </div>
        <Which />
      </div>
      <Comparison />
      <div id="trial-view" class="trial-view" role="tabpanel" aria-labelledby={`tab-${open.value}`}>
        {trial.value ? <View /> : <p class="none">The first trial is on its way.</p>}
      </div>
    </section>
  );
}

/** Which trial this is, and what can be done with it. */
function Which() {
  const shown = trial.value;
  const plan = trialPlan.value;
  if (!shown || !plan) return null;
  const kept = pinned.value;
  const isKept = kept !== undefined && kept.plan.id === plan.id && kept.trial.index === shown.index;
  return (
    <p class="which">
      <span class="mark">{chosen.value ? "trial" : "best trial"}</span>
      <span class="settings" data-testid="trial-params">
        {plan.params.map((param, i) => <span key={param.name} class="code">{param.name} <b>{parameter(shown.params[i] ?? NaN, param.kind)}</b></span>)}
      </span>
      {chosen.value && <button type="button" class="plain" title="Follow the best trial (b)" onClick={followBest}>to the best</button>}
      <button type="button" class="plain" title="Keep this trial to compare others with it (Enter on the heatmap, or p)" aria-pressed={isKept} data-testid="pin-button" onClick={pin}>{isKept ? "pinned" : "pin"}</button>
    </p>
  );
}

const COMPARED = ["total_return", "cagr", "sharpe", "sortino", "max_drawdown", "volatility", "turnover", "trades", "fees"];

/** The pinned trial against the selected one, in a line of the metrics that are asked for first. */
function Comparison() {
  const kept = pinned.value;
  const shown = trial.value;
  if (!kept || !shown) return null;
  const metrics = metricsByName.value;
  const known = COMPARED.flatMap((name) => metrics.get(name) ?? []);
  const settings = (params: number[], plan: typeof kept.plan) => plan.params.map((param, i) => `${param.name} ${parameter(params[i] ?? NaN, param.kind)}`).join(", ");
  return (
    <div class="comparison" data-testid="compare-panel">
      <table>
        <thead>
          <tr><th scope="col"><span class="visually-hidden">Trial</span></th>{known.map((metric) => <th key={metric.name} scope="col" title={metric.doc}>{metric.title}</th>)}<th /></tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row" class="selected-mark">{trialPlan.value && settings(shown.params, trialPlan.value)}</th>
            {known.map((metric) => <td key={metric.name}>{inUnit(shown.metrics[metric.at] ?? NaN, metric.unit)}</td>)}
            <td />
          </tr>
          <tr>
            <th scope="row" class="pinned-mark">{settings(kept.trial.params, kept.plan)}{kept.plan.id !== trialPlan.value?.id && <span class="other-run" title={kept.plan.id}> of run {kept.plan.id.slice(0, 8)}</span>}</th>
            {known.map((metric) => <td key={metric.name}>{inUnit(kept.trial.metrics[metric.at] ?? NaN, metric.unit)}</td>)}
            <td><button type="button" class="plain" aria-label="Let the pinned trial go" title="Let it go (u)" onClick={unpin}>×</button></td>
          </tr>
        </tbody>
      </table>
    </div>
  );
}
