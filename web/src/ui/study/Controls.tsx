// The study as controls: parameters, search, capital, costs, fill, dates, symbols. Every change runs at once.

import type { BundleInfo } from "../../engine/index.ts";
import type { Controls as Settings, Costs, Fill } from "../../study.ts";
import { reachOf } from "../../search.ts";
import { FILLS, trialCount, valuesOf } from "../../study.ts";
import { decimal } from "../format.ts";
import { change, replaceWith } from "../session.ts";
import { bundle, controls, strategy, tooMany } from "../state.ts";
import { NativeCommand } from "../ExportMenu.tsx";
import { DateRange } from "./DateRange.tsx";
import { NumberField } from "./NumberField.tsx";
import { ParameterControl } from "./ParameterControl.tsx";
import { Slider } from "./RangeSlider.tsx";
import { SearchControls } from "./SearchControls.tsx";

export function Controls() {
  const settings = controls.value;
  const info = bundle.value?.info;
  if (!settings || !info) return <div class="controls" aria-busy="true" />;
  return (
    <div class="controls">
      <Parameters settings={settings} />
      <SearchControls settings={settings} />
      <Money settings={settings} />
      <DateRange settings={settings} info={info} />
      <Symbols settings={settings} info={info} />
    </div>
  );
}

function Parameters({ settings }: { settings: Settings }) {
  const params = strategy.value?.params ?? [];
  const counts = params.map((param) => settings.ranges[param.name]).flatMap((range) => (range && range.type !== "fixed" ? [valuesOf(range).length] : []));
  const points = trialCount(settings);
  return (
    <fieldset class="parameters">
      <legend>
        Parameters <output class="count">{counts.length > 1 ? `${counts.map((count) => decimal(count, 0)).join(" × ")} = ` : ""}{decimal(points, 0)} {reachOf(settings.search, points)}</output>
      </legend>
      {tooMany.value !== undefined && (
        <div class="too-many" data-testid="too-many" role="alert">
          <p>{decimal(tooMany.value, 0)} trials are more than a page should run (200,000). Fix a parameter, take larger steps, or a method that does not try every point.</p>
          <NativeCommand />
        </div>
      )}
      {params.map((param) => {
        const range = settings.ranges[param.name];
        return range && <ParameterControl key={param.name} param={param} range={range} />;
      })}
      <label class="line where">
        <span>where</span>
        <input
          type="text" class="code" placeholder="fast < slow" spellcheck={false} value={settings.where.join(" and ")} aria-label="Condition over the parameters" data-testid="control-where"
          onChange={(event) => change({ where: event.currentTarget.value.trim() === "" ? [] : [event.currentTarget.value.trim()] })}
        />
      </label>
    </fieldset>
  );
}

interface CostLine {
  name: keyof Costs;
  title: string;
  unit: string;
  max: number;
  step: number;
  /** What one unit of the control is in the study. */
  scale: number;
  testid: string;
  doc: string;
}

const COSTS: CostLine[] = [
  { name: "bps", title: "Commission", unit: "bps", max: 50, step: 0.5, scale: 1, testid: "control-commission", doc: "In basis points (1/10,000) of the value traded." },
  { name: "slippage_bps", title: "Slippage", unit: "bps", max: 50, step: 0.5, scale: 1, testid: "control-slippage", doc: "In basis points of the price, against the order." },
  { name: "spread", title: "Spread", unit: "bps", max: 100, step: 1, scale: 1e-4, testid: "control-spread", doc: "Full spread in basis points of the price; each side pays half." },
  { name: "per_share", title: "Per share", unit: "", max: 0.05, step: 0.001, scale: 1, testid: "control-per-share", doc: "Commission for each unit, in money." },
];

function Money({ settings }: { settings: Settings }) {
  const cost = (line: CostLine, value: number) => change({ costs: { ...settings.costs, [line.name]: Number((Math.max(value, 0) * line.scale).toPrecision(12)) } });
  return (
    <fieldset>
      <legend>Costs and account</legend>
      {COSTS.map((line) => {
        const value = settings.costs[line.name] / line.scale;
        return (
          <div class="row" key={line.name} title={line.doc}>
            <span class="name">{line.title}</span>
            <Slider label={[line.title, line.unit].filter(Boolean).join(", ")} min={0} max={line.max} step={line.step} value={value} testid={line.testid} onInput={(next) => cost(line, next)} />
            <NumberField label={[line.title, line.unit].filter(Boolean).join(", ")} value={value} min={0} step={line.step} onInput={(next) => cost(line, next)} />
            <span class="unit">{line.unit}</span>
          </div>
        );
      })}
      <div class="row" title="Initial cash.">
        <span class="name">Capital</span>
        <Slider
          label="Capital" min={3} max={8} step={0.05} value={Math.log10(settings.capital)} say={() => decimal(settings.capital, 0)}
          onInput={(exponent) => change({ capital: Number((10 ** exponent).toPrecision(2)) })}
        />
        <NumberField label="Capital" value={settings.capital} min={1} step="any" width={9} testid="control-capital" onInput={(capital) => change({ capital })} />
      </div>
      <div class="row">
        <label class="name" for="fill">Fill</label>
        <select id="fill" data-testid="control-fill" value={settings.fill} onChange={(event) => change({ fill: event.currentTarget.value as Fill })}>
          {FILLS.map((fill) => <option key={fill} value={fill}>{fill.replace("_", " ")}</option>)}
        </select>
      </div>
    </fieldset>
  );
}

function Symbols({ settings, info }: { settings: Settings; info: BundleInfo }) {
  const all = info.symbols.map((entry) => entry.symbol);
  const picked = settings.symbols ?? all;
  const set = (next: string[]) => {
    const { symbols: _, ...rest } = settings;
    if (next.length === all.length) replaceWith(rest);
    else if (next.length > 0) change({ symbols: next });
  };
  return (
    <fieldset>
      <legend>
        Symbols <output class="count">{picked.length} of {all.length}</output>
        {picked.length < all.length && <button type="button" class="plain" onClick={() => set(all)}>all</button>}
      </legend>
      <div class="chips symbols">
        {info.symbols.slice(0, 200).map(({ symbol, first, last, rows }) => (
          <button
            key={symbol} type="button" class="chip code" data-testid={`control-symbol-${symbol}`} aria-pressed={picked.includes(symbol)} title={`${first} to ${last}, ${decimal(rows, 0)} bars (double click: only this one)`}
            onClick={() => set(all.filter((one) => (one === symbol ? !picked.includes(one) : picked.includes(one))))}
            onDblClick={() => set([symbol])}
          >
            {symbol}
          </button>
        ))}
      </div>
      {all.length > 200 && <p class="note">and {decimal(all.length - 200, 0)} more, all of them in use; name them in a study file for the native program.</p>}
    </fieldset>
  );
}
