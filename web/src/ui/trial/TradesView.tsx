// Trades of one symbol on its candles, and the list of trades; a trade that is picked is brought into the middle.

import { effect, signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Candles, Trial } from "../../engine/index.ts";
import { day, decimal, percent } from "../format.ts";
import { engine, trial, trialPlan } from "../state.ts";
import { dark } from "../theme.ts";
import type { CandleChart, Mark } from "./charts.ts";

const symbol = signal<string | undefined>(undefined);
const candles = signal<{ key: string; data: Candles } | undefined>(undefined);
const listed = signal(100);
const wanted = signal<[number, number] | undefined>(undefined);

const current = () => {
  const symbols = trial.value?.symbols ?? [];
  return symbol.value !== undefined && symbols.includes(symbol.value) ? symbol.value : symbols[0];
};

export function TradesView() {
  const container = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let chart: CandleChart | undefined;
    let ended = false;
    const stops: (() => void)[] = [];
    stops.push(effect(fetchCandles));
    void import("./charts.ts").then(({ createCandleChart }) => {
      if (ended || !container.current) return;
      const made = createCandleChart(container.current);
      chart = made;
      stops.push(effect(() => {
        const data = candles.value?.data;
        if (data && trial.value) made.show(data, marksOf(trial.value, current()));
      }));
      stops.push(effect(() => void (dark.value, made.theme())));
      stops.push(effect(() => void (wanted.value && candles.value && made.reveal(...wanted.value))));
    });
    return () => {
      ended = true;
      for (const stop of stops) stop();
      chart?.destroy();
      wanted.value = undefined;
    };
  }, []);
  const shown = trial.value;
  if (!shown) return null;
  const counts = new Map<string, number>();
  for (const at of shown.trades.symbol) {
    const name = shown.symbols[at] ?? "";
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return (
    <div class="trades">
      <div class="candles">
        <div class="chips symbols" role="group" aria-label="Symbol on the candles">
          {shown.symbols.slice(0, 60).map((name) => (
            <button key={name} type="button" class="chip code" aria-pressed={name === current()} onClick={() => (symbol.value = name)}>{name} <small>{counts.get(name) ?? 0}</small></button>
          ))}
        </div>
        <div class="chart" ref={container} data-testid="candle-chart" role="img" aria-label={`Candles of ${current() ?? ""} with entries and exits`} />
      </div>
      <TradeList shown={shown} />
    </div>
  );
}

function fetchCandles(): void {
  const name = current();
  const plan = trialPlan.value;
  if (name === undefined || !plan) return;
  const key = `${plan.start} ${plan.end} ${name}`;
  if (candles.peek()?.key === key) return;
  engine.peek()?.candles(name).then(
    (data) => {
      if (current() === name) candles.value = { key, data };
    },
    () => undefined,
  );
}

function marksOf(shown: Trial, name: string | undefined): Mark[] {
  const at = name === undefined ? -1 : shown.symbols.indexOf(name);
  const { fills } = shown;
  const marks: Mark[] = [];
  for (let i = 0; i < fills.symbol.length; i++) {
    if (fills.symbol[i] === at) marks.push({ time: fills.time[i] as number, side: (fills.quantity[i] as number) > 0 ? "buy" : "sell", text: "" });
  }
  return marks;
}

function TradeList({ shown }: { shown: Trial }) {
  const { trades } = shown;
  const count = trades.symbol.length;
  const order = Array.from({ length: Math.min(count, listed.value) }, (_, i) => count - 1 - i);
  const pick = (i: number) => {
    symbol.value = shown.symbols[trades.symbol[i] as number];
    wanted.value = [trades.entryTime[i] as number, trades.open[i] ? (shown.sessions.at(-1) as number) : (trades.exitTime[i] as number)];
  };
  return (
    <div class="scroll">
      <table class="trade-list">
        <thead>
          <tr><th scope="col">Symbol</th><th scope="col">Side</th><th scope="col">Entry</th><th scope="col">Exit</th><th scope="col">Units</th><th scope="col">In</th><th scope="col">Out</th><th scope="col">Profit</th><th scope="col">Return</th></tr>
        </thead>
        <tbody>
          {order.map((i) => {
            const quantity = trades.quantity[i] as number;
            const entry = trades.entryPrice[i] as number;
            const profit = trades.profit[i] as number;
            return (
              <tr key={i} onClick={() => pick(i)} class={trades.open[i] ? "open" : ""}>
                <td><button type="button" class="plain code" onClick={() => pick(i)}>{shown.symbols[trades.symbol[i] as number]}</button></td>
                <td>{quantity < 0 ? "short" : "long"}</td>
                <td>{day(trades.entryTime[i] as number)}</td>
                <td>{trades.open[i] ? "open" : day(trades.exitTime[i] as number)}</td>
                <td>{decimal(Math.abs(quantity), Number.isInteger(quantity) ? 0 : 2)}</td>
                <td>{decimal(entry, 2)}</td>
                <td>{decimal(trades.exitPrice[i] as number, 2)}</td>
                <td class={profit < 0 ? "loss" : ""}>{decimal(profit, 0)}</td>
                <td class={profit < 0 ? "loss" : ""}>{percent(profit / (Math.abs(quantity) * entry))}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {count === 0 && <p class="none">This trial made no trades.</p>}
      {count > listed.value && <button type="button" class="plain more" onClick={() => (listed.value += 500)}>{decimal(count - listed.value, 0)} earlier ones: show 500 more</button>}
    </div>
  );
}
