// How far the best trial can be believed: a sentence, the numbers behind it, and the selected trial on sessions that the
// search did not see.

import type { Judgement } from "../../engine/index.ts";
import { dateBetween, SEARCHED } from "../../holdout.ts";
import { decimal, inUnit, parameter } from "../format.ts";
import { change } from "../session.ts";
import { controls, frame, heldOut, judged, metricsByName, trial, trialPlan } from "../state.ts";
import { heldOutKey } from "./judge.ts";

export function VerdictPane() {
  const now = frame.value;
  const found = judged.value;
  if (!now) return null;
  const current = found?.id === now.plan.id && now.final;
  return (
    <section class={current ? "verdict" : "verdict old"} data-testid="verdict" data-run={found?.id} aria-label="Verdict" aria-live="polite">
      {found ? <Sentence of={found.judgement} /> : <p class="sentence note">The verdict follows when the run has ended.</p>}
      {found && <Figures of={found.judgement} />}
      {controls.value?.holdout === undefined ? <Offer /> : <HeldOut />}
    </section>
  );
}

function Sentence({ of }: { of: Judgement }) {
  const at = of.sentence.lastIndexOf(": ");
  return (
    <p class="sentence" data-testid="verdict-sentence">
      <b class={`grade ${of.grade}`}>{at < 0 ? of.grade : of.sentence.slice(at + 2)}</b> {at < 0 ? of.sentence : of.sentence.slice(0, at)} <span class="advice">{of.advice}</span>
    </p>
  );
}

/** What each number is, and its value; NaN for what could not be computed. */
function figuresOf(of: Judgement): [string, string, string][] {
  const ratio = (value: number) => decimal(value, 2);
  const sample = of.compared < of.trials ? ` (by a sample of ${decimal(of.compared, 0)})` : "";
  return [
    ["Sharpe", ratio(of.sharpe), "Annualised Sharpe ratio of the best trial"],
    ["luck’s best", ratio(of.threshold), `Sharpe ratio that the best of so many trials without skill is expected to have; they are worth ${decimal(of.independent, 0)} independent ones`],
    ["deflated", ratio(of.deflated), "Probability that the true Sharpe ratio is above luck’s best; 0.95 is significant"],
    ["PBO", ratio(of.pbo), `Probability that the best trial of one half of the sessions is below the median in the other half${sample}; 0.5 is a coin’s`],
    ["SPA p", decimal(of.spa, 3), `Hansen’s test of the best trial against zero${sample}; up to 0.05 is significant`],
    ["sessions", `${decimal(of.sessions, 0)} of ${Number.isFinite(of.minimumSessions) ? decimal(of.minimumSessions, 0) : "∞"}`, "Sessions there are, of those needed to believe with 95 % confidence that the Sharpe ratio of this one trial is above zero"],
  ];
}

function Figures({ of }: { of: Judgement }) {
  return (
    <dl class="figures" data-testid="verdict-figures">
      {figuresOf(of).map(([name, value, meaning]) => <div key={name} title={meaning}><dt>{name}</dt><dd>{value}</dd></div>)}
    </dl>
  );
}

function Offer() {
  const plan = frame.value?.plan;
  if (!plan) return null;
  return (
    <button
      type="button" class="plain offer" data-testid="hold-out" title="Search on the sessions before a date, and test the chosen trial on those from it on"
      onClick={() => change({ holdout: dateBetween(plan.start, plan.end, SEARCHED) })}
    >
      hold out the last 30 %
    </button>
  );
}

const COMPARED = ["sharpe", "cagr", "max_drawdown", "volatility", "trades", "total_return"];

/** The selected trial before and after the split. */
function HeldOut() {
  const inside = trial.value;
  const plan = trialPlan.value;
  const outside = heldOut.value;
  if (!inside || !plan) return null;
  const known = COMPARED.flatMap((name) => metricsByName.value.get(name) ?? []);
  const judgement = outside?.judgement;
  const row = (title: string, start: string, end: string, metrics: Float64Array, probability: number) => (
    <tr>
      <th scope="row">{title} <span class="note">{start} to {end}</span></th>
      {known.map((metric) => <td key={metric.name}>{inUnit(metrics[metric.at] ?? NaN, metric.unit)}</td>)}
      <td>{decimal(probability, 2)}</td>
    </tr>
  );
  return (
    <div class={outside?.key === heldOutKey() ? "held-out" : "held-out old"} data-testid="held-out" data-key={outside?.key}>
      <table>
        <thead>
          <tr>
            <th scope="col">{plan.params.map((param, i) => `${param.name} ${parameter(inside.params[i] ?? NaN, param.kind)}`).join(", ")}</th>
            {known.map((metric) => <th key={metric.name} scope="col" title={metric.doc}>{metric.title}</th>)}
            <th scope="col" title="Probability that the true Sharpe ratio is above zero, were this the only trial">P(Sharpe &gt; 0)</th>
          </tr>
        </thead>
        <tbody>
          {row("searched", plan.start, plan.end, inside.metrics, judged.value?.id === plan.id && judged.value.judgement.best === inside.index ? judged.value.judgement.probabilityAboveZero : NaN)}
          {outside && row("held out", outside.plan.start, outside.plan.end, outside.trial.metrics, judgement?.probabilityAboveZero ?? NaN)}
        </tbody>
      </table>
      {judgement && <p class="note" data-testid="held-out-sentence">On sessions that the search did not see: {judgement.sentence}</p>}
    </div>
  );
}
