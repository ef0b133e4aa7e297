// How far the best trial can be believed: a sentence, the numbers behind it, and the selected trial on sessions that the
// search did not see; and how choosing fared from fold to fold.

import type { Judgement, PlanInfo } from "../../engine/index.ts";
import { USUAL_FOLDS } from "../../folds.ts";
import { dateBetween, SEARCHED } from "../../holdout.ts";
import { decimal, inUnit, parameter } from "../format.ts";
import { change } from "../session.ts";
import { controls, frame, heldOut, judged, metricsByName, trial, trialPlan } from "../state.ts";
import { heldOutKey } from "./judge.ts";
import { WalkTable } from "./WalkTable.tsx";

export function VerdictPane() {
  const now = frame.value;
  const found = judged.value;
  if (!now) return null;
  const current = found?.id === now.plan.id && now.final;
  return (
    <section class={current ? "verdict" : "verdict old"} data-testid="verdict" data-run={found?.id} aria-label="Verdict" aria-live="polite">
      {found?.judgement ? <Sentence of={found.judgement} /> : <p class="sentence note">{found ? "A run without trials, or of fewer than eight sessions, cannot be judged." : "The verdict follows when the run has ended."}</p>}
      {found?.judgement && <Figures of={found.judgement} />}
      {controls.value?.holdout === undefined && <Offer />}
      {!controls.value?.folds && (
        <button
          type="button" class="plain offer" data-testid="walk-forward" title="Choose the best trial of some years, test it on the years after them, and move on"
          onClick={() => change({ folds: { ...USUAL_FOLDS } })}
        >
          walk forward
        </button>
      )}
      {controls.value?.holdout !== undefined && <HeldOut />}
      {controls.value?.folds && <WalkTable folds={controls.value.folds} />}
    </section>
  );
}

/** The sentence with its grade in front: there it is seen. */
function Sentence({ of }: { of: Judgement }) {
  const [numbers, grade] = halves(of.sentence);
  return (
    <p class="sentence" data-testid="verdict-sentence">
      <b class={`grade ${of.grade}`}>{capital(grade)}.</b> {capital(numbers)}. <span class="advice">{capital(of.advice)}.</span>
    </p>
  );
}

/** A verdict's numbers and its grade. */
function halves(sentence: string): [string, string] {
  const at = sentence.lastIndexOf(": ");
  return at < 0 ? [sentence, ""] : [sentence.slice(0, at), sentence.slice(at + 2)];
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** What stands behind the sentence: name, value, meaning. NaN is what could not be computed. */
function figuresOf(of: Judgement): [string, string, string][] {
  const ratio = (value: number) => decimal(value, 2);
  const needed = Number.isFinite(of.minimumSessions) ? decimal(of.minimumSessions, 0) : "no number";
  const whole = of.compared + of.passedOver >= of.trials;
  const compared = `${decimal(of.compared, 0)} trials`;
  const sample = of.compared >= of.trials ? "" : whole ? `; of the ${compared} on all sessions` : `; by a sample of ${compared}`;
  return [
    ["luck’s best Sharpe", ratio(of.threshold), "Sharpe ratio that the best of so many trials without skill is expected to have; “deflated” is the probability that the true one is above it"],
    ["independent trials", decimal(of.independent, 1), "How many independent trials the search is worth"],
    ["loss out of sample", ratio(of.probabilityOfLoss), `Probability that a trial chosen on one half of the sessions loses on the other; “PBO” is that of being below the median there${sample}`],
    ["reality check p", decimal(of.realityCheck, 3), `White’s test of the best trial against zero; “SPA p” is Hansen’s, and up to 0.05 is significant${sample}`],
    ["sessions needed", `${needed} of ${decimal(of.sessions, 0)}`, "Sessions needed to believe with 95 % confidence that the Sharpe ratio is above zero, were this the only trial"],
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

const COMPARED = ["sharpe", "cagr", "max_drawdown", "trades", "total_return"];

/** The selected trial before and after the split. */
function HeldOut() {
  const inside = trial.value;
  const plan = trialPlan.value;
  const outside = heldOut.value;
  if (!inside || !plan) return null;
  const known = COMPARED.flatMap((name) => metricsByName.value.get(name) ?? []);
  const best = judged.value?.id === plan.id && judged.value.judgement?.best === inside.index ? judged.value.judgement : undefined;
  const row = (title: string, { start, end }: PlanInfo, metrics: Float64Array, found: Judgement | undefined) => (
    <tr>
      <th scope="row">{title} <span class="note dates">{start} to {end}</span></th>
      {known.map((metric) => <td key={metric.name}>{inUnit(metrics[metric.at] ?? NaN, metric.unit)}</td>)}
      <td>{decimal(found?.probabilityAboveZero ?? NaN, 2)}</td>
      <td title={found?.sentence}>{found ? halves(found.sentence)[1] : ""}</td>
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
            <th scope="col" title="What can be said of the trial">verdict</th>
          </tr>
        </thead>
        <tbody>
          {row("searched", plan, inside.metrics, best)}
          {outside && row("held out", outside.plan, outside.trial.metrics, outside.judgement)}
        </tbody>
      </table>
    </div>
  );
}
