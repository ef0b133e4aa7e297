// Equity against buy and hold with drawdown below; the readings of the crosshair stand in a line above.

import { effect, signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { day, decimal, percent } from "../format.ts";
import { pinned, trial, trialPlan } from "../state.ts";
import { dark } from "../theme.ts";
import type { EquityChart, Reading } from "./charts.ts";

const reading = signal<Reading | undefined>(undefined);
const logarithmic = signal(false);

export function EquityView() {
  const container = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let chart: EquityChart | undefined;
    let ended = false;
    const stops: (() => void)[] = [];
    void import("./charts.ts").then(({ createEquityChart }) => {
      if (ended || !container.current) return;
      const made = createEquityChart(container.current, (next) => (reading.value = next));
      chart = made;
      stops.push(effect(() => void (trial.value && made.show(trial.value, pinned.value?.trial, logarithmic.value))));
      stops.push(effect(() => void (dark.value, made.theme())));
    });
    return () => {
      ended = true;
      for (const stop of stops) stop();
      chart?.destroy();
      reading.value = undefined;
    };
  }, []);
  return (
    <>
      <Readings />
      <div class="chart" ref={container} data-testid="equity-chart" role="img" aria-label="Equity and drawdown over time" />
    </>
  );
}

function Readings() {
  const shown = trial.value;
  if (!shown) return null;
  const now = reading.value;
  const last = shown.sessions.length - 1;
  const kept = pinned.value?.trial;
  const value = (name: string, values: ArrayLike<number> | undefined) => now?.values[name] ?? values?.[values.length - 1] ?? NaN;
  const line = (mark: string, title: string, equity: number, drawdown: number) => (
    <span class={`reading ${mark}`}><i />{title} <b>{decimal(equity, 0)}</b> <span class="fall">{percent(drawdown)}</span></span>
  );
  return (
    <p class="readings">
      <time>{day(now?.time ?? shown.sessions[last] ?? NaN)}</time>
      {line("of-trial", "trial", value("equity", shown.equity), value("drawdown", shown.drawdown))}
      {kept && line("of-pinned", "pinned", value("pinned", kept.equity), value("pinnedDrawdown", kept.drawdown))}
      {line("of-hold", trialPlan.value?.benchmark ? `hold ${trialPlan.value.benchmark}` : "buy and hold", value("hold", shown.benchmark), value("holdDrawdown", shown.benchmarkDrawdown))}
      <button type="button" class="plain" aria-pressed={logarithmic.value} onClick={() => (logarithmic.value = !logarithmic.value)}>{logarithmic.value ? "log" : "linear"}</button>
    </p>
  );
}
