// One parameter of the strategy: the range of values that the search tries, or one value.

import type { Domain, ParamInfo } from "../../engine/index.ts";
import type { Range } from "../../study.ts";
import { rangeOf, valuesOf } from "../../study.ts";
import { parameter } from "../format.ts";
import { change } from "../session.ts";
import { controls } from "../state.ts";
import { NumberField } from "./NumberField.tsx";
import { RangeSlider, Slider } from "./RangeSlider.tsx";

export function ParameterControl({ param, range }: { param: ParamInfo; range: Range }) {
  const set = (next: Range) => change({ ranges: { ...controls.value?.ranges, [param.name]: next } });
  const count = valuesOf(range).length;
  const vary = () => set(range.type === "fixed" ? rangeOf(param.domain) : { type: "fixed", value: middle(param) });
  const single = param.domain.type === "choice" && param.domain.values.length === 1;
  return (
    <div class="parameter" role="group" aria-label={`Parameter ${param.name}`} data-testid={`parameter-${param.name}`}>
      <div class="line">
        <span class="name code">{param.name}</span>
        {range.type === "range" && <Steps param={param} range={range} set={set} />}
        {!single && (
          <button type="button" class="plain vary" aria-pressed={range.type !== "fixed"} title={range.type === "fixed" ? "Try a range of values" : "Fix at one value"} onClick={vary}>
            {range.type === "fixed" ? "fixed" : `${count} ${count === 1 ? "value" : "values"}`}
          </button>
        )}
      </div>
      {range.type === "range" && <Ends param={param} range={range} set={set} />}
      {range.type === "fixed" && <Fixed param={param} value={range.value} set={set} />}
      {range.type === "list" && <Chips name={param.name} all={listed(param.domain, range.values)} picked={range.values} set={(values) => set({ type: "list", values })} />}
      {range.type === "flags" && <p class="note">false, true</p>}
    </div>
  );
}

function middle(param: ParamInfo): number | boolean {
  return param.domain.type === "bool" ? param.default !== 0 : param.default;
}

/** Ends of a slider: what the strategy declares, and beyond it if the range goes there. */
function bounds(domain: Domain, low: number, high: number): { min: number; max: number; step: number } {
  if (domain.type !== "int" && domain.type !== "float") return { min: low, max: high, step: 1 };
  return { min: Math.min(domain.min, low), max: Math.max(domain.max, high), step: domain.step ?? (domain.max - domain.min) / 100 };
}

interface StepsProps {
  param: ParamInfo;
  range: Extract<Range, { type: "range" }>;
  set: (range: Range) => void;
}

function Ends({ param, range, set }: StepsProps) {
  const ends = bounds(param.domain, range.min, range.max);
  return <RangeSlider label={param.name} {...ends} low={range.min} high={range.max} onInput={(min, max) => set({ ...range, min, max })} />;
}

function Steps({ param, range, set }: StepsProps) {
  const whole = range.kind === "int" ? 1 : "any";
  return (
    <span class="fields">
      <NumberField label={`${param.name}, lowest`} value={range.min} max={range.max} step={whole} width={4} onInput={(min) => set({ ...range, min: round(range, min) })} />
      <span aria-hidden="true">to</span>
      <NumberField label={`${param.name}, highest`} value={range.max} min={range.min} step={whole} width={4} onInput={(max) => set({ ...range, max: round(range, max) })} />
      <span aria-hidden="true">by</span>
      <NumberField label={`${param.name}, step`} value={range.step} min={range.kind === "int" ? 1 : 1e-9} step={whole} width={4} onInput={(step) => set({ ...range, step: round(range, step) })} />
    </span>
  );
}

const round = (range: { kind: "int" | "float" }, value: number) => (range.kind === "int" ? Math.round(value) : value);

function Fixed({ param, value, set }: { param: ParamInfo; value: number | boolean; set: (range: Range) => void }) {
  const { domain } = param;
  if (domain.type === "bool" || typeof value === "boolean") {
    return (
      <label class="line">
        <input type="checkbox" checked={Boolean(value)} onInput={(event) => set({ type: "fixed", value: event.currentTarget.checked })} />
        <span>{value ? "true" : "false"}</span>
      </label>
    );
  }
  if (domain.type === "choice") {
    return domain.values.length === 1 ? (
      <p class="note">{parameter(value)}</p>
    ) : (
      <select aria-label={param.name} value={String(value)} onChange={(event) => set({ type: "fixed", value: Number(event.currentTarget.value) })}>
        {domain.values.map((one) => <option key={one} value={String(one)}>{parameter(one)}</option>)}
      </select>
    );
  }
  const ends = bounds(domain, value, value);
  return (
    <div class="line">
      <Slider label={param.name} {...ends} value={value} onInput={(next) => set({ type: "fixed", value: next })} />
      <NumberField label={`${param.name}, value`} value={value} step={domain.type === "int" ? 1 : "any"} onInput={(next) => set({ type: "fixed", value: domain.type === "int" ? Math.round(next) : next })} />
    </div>
  );
}

/** The values that may be picked: those of the domain, and others that a study named. */
function listed(domain: Domain, picked: number[]): number[] {
  const own = domain.type === "choice" ? domain.values : valuesOf(rangeOf(domain)).map(Number);
  return own.length > 40 ? picked : [...own, ...picked.filter((value) => !own.includes(value))];
}

function Chips({ name, all, picked, set }: { name: string; all: number[]; picked: number[]; set: (values: number[]) => void }) {
  const toggle = (value: number) => {
    const next = all.filter((one) => (one === value ? !picked.includes(one) : picked.includes(one)));
    if (next.length > 0) set(next);
  };
  return (
    <div class="chips">
      {all.map((value) => (
        <button key={value} type="button" class="chip" aria-pressed={picked.includes(value)} aria-label={`${name} ${parameter(value)}`} onClick={() => toggle(value)}>{parameter(value)}</button>
      ))}
    </div>
  );
}
