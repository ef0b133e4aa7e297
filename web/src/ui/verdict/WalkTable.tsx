// What the choice of each training came to in the test after it.

import type { WalkInfo } from "../../engine/index.ts";
import { MOST_YEARS, SCHEME_TITLES, SCHEMES, type Folds, type Scheme } from "../../folds.ts";
import { decimal, inUnit, parameter, percent } from "../format.ts";
import { change, replaceWith } from "../session.ts";
import { controls, frame, metricsByName, walked } from "../state.ts";
import { NumberField } from "../study/NumberField.tsx";

/** Metrics of a test beside the objective. */
const SHOWN = ["total_return", "max_drawdown", "trades"];

export function WalkTable({ folds }: { folds: Folds }) {
  const now = frame.value;
  const found = walked.value;
  const current = found !== undefined && now?.final === true && found.id === now.plan.id;
  return (
    <div class={current ? "walk" : "walk old"} data-testid="walk" data-run={found?.id}>
      <Settings folds={folds} info={found?.info} />
      {found?.why !== undefined && <p class="note" data-testid="walk-error">{found.why}</p>}
      {found?.info && <Table found={found.info} />}
    </div>
  );
}

function Settings({ folds, info }: { folds: Folds; info: WalkInfo | undefined }) {
  const set = (part: Partial<Folds>) => change({ folds: { ...folds, ...part } });
  const off = () => {
    const { folds: _, ...rest } = controls.value ?? {};
    if (controls.value) replaceWith(rest as typeof controls.value);
  };
  const years = (name: "train" | "test", title: string) => (
    <label title={title}>
      {name} <NumberField label={title} value={folds[name]} min={1} max={MOST_YEARS} step={1} width={5} testid={`walk-${name}`} onInput={(value) => set({ [name]: Math.round(value) })} /> y
    </label>
  );
  return (
    <div class="walk-settings">
      <label title="Rolling: training of one length moves on with the test. Anchored: training starts at the first session and grows.">
        Walk-forward{" "}
        <select data-testid="walk-scheme" value={folds.scheme} onChange={(event) => set({ scheme: event.currentTarget.value as Scheme })}>
          {SCHEMES.map((scheme) => <option key={scheme} value={scheme}>{SCHEME_TITLES[scheme]}</option>)}
        </select>
      </label>
      {years("train", "Years of training")}
      {years("test", "Years of a test")}
      {info && (
        <span data-testid="walk-efficiency" title="Mean of the objective over the tests, divided by its mean over training; not defined where training loses">
          {Number.isFinite(info.efficiency) ? `${percent(info.efficiency, 0)} of training left in the tests` : "training gains nothing"}
        </span>
      )}
      <button type="button" class="plain" aria-label="No walk-forward" title="No walk-forward" onClick={off}>×</button>
    </div>
  );
}

function Table({ found }: { found: WalkInfo }) {
  const plan = frame.value?.plan;
  if (!plan) return null;
  const objective = metricsByName.value.get(plan.objective.metric);
  const scored = (value: number) => (objective ? inUnit(value, objective.unit) : decimal(value, 3));
  const name = objective?.title ?? "objective";
  const shown = SHOWN.flatMap((metric) => metricsByName.value.get(metric) ?? []);
  const params = plan.params.map((param, at) => ({ ...param, at })).filter((param) => param.values.length > 1);
  const dates = (ranges: [string, string][]) => ranges.map(([from, to]) => `${from} to ${to}`).join(", ");
  return (
    <div class="walk-table">
      <table>
        <thead>
          <tr>
            <th scope="col">test</th>
            <th scope="col" class="dates">training</th>
            {params.map((param) => <th key={param.name} scope="col" class="code">{param.name}</th>)}
            <th scope="col">{name}, training</th>
            <th scope="col">{name}, test</th>
            {shown.map((metric) => <th key={metric.name} scope="col" title={`In the test. ${metric.doc}`}>{metric.title}</th>)}
          </tr>
        </thead>
        <tbody>
          {found.folds.map((fold, at) => (
            <tr key={at}>
              <th scope="row">{dates(fold.test)}</th>
              <td class="dates">{dates(fold.train)}</td>
              {params.map((param) => <td key={param.name}>{parameter(fold.params[param.at] ?? NaN, param.kind)}</td>)}
              <td>{scored(fold.trainObjective)}</td>
              <td>{scored(fold.testObjective)}</td>
              {shown.map((metric) => <td key={metric.name}>{inUnit(fold.testMetrics[metric.at] ?? NaN, metric.unit)}</td>)}
            </tr>
          ))}
        </tbody>
        {found.joined.length > 0 && (
          <tfoot>
            <tr>
              <th scope="row">all tests, one after another</th>
              <td class="dates" />
              {params.map((param) => <td key={param.name} />)}
              <td />
              <td>{objective ? scored(found.joined[objective.at] ?? NaN) : ""}</td>
              {shown.map((metric) => <td key={metric.name}>{inUnit(found.joined[metric.at] ?? NaN, metric.unit)}</td>)}
            </tr>
          </tfoot>
        )}
      </table>
    </div>
  );
}
