// What the surface shows: metric, axes, how the other parameters are brought together or where they are sliced.

import type { PlanInfo, View } from "../../engine/index.ts";
import { parameter } from "../format.ts";
import { look } from "../session.ts";
import { engine, frame, surface, view } from "../state.ts";
import { Slider } from "../study/RangeSlider.tsx";
import { nearest, varying } from "./surface.ts";

const AGGREGATES: View["aggregate"][] = ["best", "mean", "median"];

export function ViewControls() {
  const plan = frame.value?.plan;
  const shown = surface.value;
  const metrics = engine.value?.catalog.metrics ?? [];
  const axes = plan ? varying(plan) : [];
  const [x, y] = [view.value.x ?? shown?.x ?? "", view.value.y ?? shown?.y ?? ""];
  const others = axes.filter((param) => param.name !== x && param.name !== y);
  const setAxis = (axis: "x" | "y") => (event: Event) => {
    const name = (event.currentTarget as HTMLSelectElement).value;
    const { [name]: _, ...fixed } = view.value.fixed;
    // Choosing the parameter of the other axis exchanges the two.
    if (axis === "x") look({ x: name, y: name === y ? x : y, fixed });
    else look({ y: name, x: name === x ? y : x, fixed });
  };
  return (
    <div class="view">
      <label>
        <span>metric</span>
        <select data-testid="metric-select" value={view.value.metric} onChange={(event) => look({ metric: event.currentTarget.value })}>
          {metrics.map((metric) => <option key={metric.name} value={metric.name} title={metric.doc}>{metric.title}</option>)}
        </select>
      </label>
      <label>
        <span>x</span>
        <select data-testid="axis-x" class="code" value={x} onChange={setAxis("x")}>{axes.map((param) => <option key={param.name} value={param.name}>{param.name}</option>)}</select>
      </label>
      <label>
        <span>y</span>
        <select data-testid="axis-y" class="code" value={y} onChange={setAxis("y")}>{axes.map((param) => <option key={param.name} value={param.name}>{param.name}</option>)}</select>
      </label>
      <label title="How trials of one cell, which differ in other parameters, are brought together">
        <span>others</span>
        <select data-testid="aggregate-select" value={view.value.aggregate} onChange={(event) => look({ aggregate: event.currentTarget.value as View["aggregate"] })}>
          {AGGREGATES.map((one) => <option key={one} value={one}>{one}</option>)}
        </select>
      </label>
      {others.map((param) => <Slice key={param.name} param={param} />)}
    </div>
  );
}

function Slice({ param }: { param: PlanInfo["params"][number] }) {
  const { fixed, aggregate } = view.value;
  const value = fixed[param.name];
  const sliced = value !== undefined;
  const at = sliced ? nearest(param.values, value) : 0;
  const { [param.name]: _, ...without } = fixed;
  const cut = (index: number) => look({ fixed: { ...fixed, [param.name]: param.values[index] ?? NaN } });
  return (
    <div class={sliced ? "slice" : "slice whole"} role="group" aria-label={`Slice of ${param.name}`}>
      <span class="code">{param.name}</span>
      <button type="button" class="plain" aria-pressed={!sliced} title={sliced ? "Bring all values together" : "Show one value only"} onClick={() => (sliced ? look({ fixed: without }) : cut(Math.floor(param.values.length / 2)))}>
        {sliced ? parameter(param.values[at] ?? NaN, param.kind) : `${aggregate} of ${param.values.length}`}
      </button>
      <Slider label={`Slice of ${param.name}`} min={0} max={param.values.length - 1} step={1} value={sliced ? at : Math.floor(param.values.length / 2)} say={(index) => parameter(param.values[index] ?? NaN, param.kind)} onInput={cut} />
    </div>
  );
}
