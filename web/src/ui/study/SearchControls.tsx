// How the points are searched and what ranks them: method, number of trials, seed, objective, constraints.

import { useSignal } from "@preact/signals";
import type { Method } from "../../search.ts";
import { METHOD_TITLES, METHODS } from "../../search.ts";
import type { Controls } from "../../study.ts";
import { MOST_TRIALS } from "../../study.ts";
import { change } from "../session.ts";
import { engine } from "../state.ts";
import { NumberField } from "./NumberField.tsx";

/** The choice of the list that opens a field for an expression. */
const EXPRESSION = "expression";

export function SearchControls({ settings }: { settings: Controls }) {
  const { search } = settings;
  const set = (part: Partial<Controls["search"]>) => change({ search: { ...search, ...part } });
  const guided = search.method !== "grid";
  return (
    <fieldset>
      <legend>Search</legend>
      <div class="row">
        <label class="name" for="method">Method</label>
        <select id="method" data-testid="control-method" value={search.method} onChange={(event) => set({ method: event.currentTarget.value as Method })}>
          {METHODS.map((method) => <option key={method} value={method}>{METHOD_TITLES[method]}</option>)}
        </select>
      </div>
      {guided && (
        <label class="row" title="Most trials of the search">
          <span class="name">Trials</span>
          <NumberField label="Trials" value={search.trials} min={1} max={MOST_TRIALS} step={1} width={8} testid="control-trials" onInput={(trials) => set({ trials: Math.round(trials) })} />
        </label>
      )}
      <label class="row" title="Of every random draw, of the search and of its judgement">
        <span class="name">Seed</span>
        <NumberField label="Seed" value={search.seed} min={0} max={Number.MAX_SAFE_INTEGER} step={1} width={8} testid="control-seed" onInput={(seed) => set({ seed: Math.round(seed) })} />
      </label>
      <Objective settings={settings} />
      <label class="row" title="A trial that does not meet these conditions over metrics ranks below all that do.">
        <span class="name">Constraint</span>
        <input
          type="text" class="code" placeholder="trades >= 30" spellcheck={false} value={settings.constraints.join(" and ")} data-testid="control-constraints"
          onChange={(event) => change({ constraints: event.currentTarget.value.trim() === "" ? [] : [event.currentTarget.value.trim()] })}
        />
      </label>
    </fieldset>
  );
}

function Objective({ settings }: { settings: Controls }) {
  const metrics = engine.value?.catalog.metrics.filter((metric) => metric.better !== "neither") ?? [];
  const typing = useSignal(false);
  const isMetric = metrics.some((metric) => metric.name === settings.objective);
  const free = typing.value || !isMetric;
  const pick = (name: string) => {
    typing.value = name === EXPRESSION;
    if (name !== EXPRESSION) change({ objective: name });
  };
  return (
    <>
      <div class="row">
        <label class="name" for="objective">Objective</label>
        <select id="objective" data-testid="control-objective" value={free ? EXPRESSION : settings.objective} onChange={(event) => pick(event.currentTarget.value)}>
          {metrics.map((metric) => <option key={metric.name} value={metric.name} title={metric.doc}>{metric.title}</option>)}
          <option value={EXPRESSION}>expression …</option>
        </select>
      </div>
      {free && (
        <div class="row">
          <span class="name" />
          <input
            type="text" class="code" aria-label="Objective as an expression over metrics" placeholder="sharpe - 0.5 * abs(max_drawdown)" spellcheck={false} value={settings.objective} data-testid="control-expression"
            onChange={(event) => event.currentTarget.value.trim() !== "" && change({ objective: event.currentTarget.value.trim() })}
          />
        </div>
      )}
    </>
  );
}
