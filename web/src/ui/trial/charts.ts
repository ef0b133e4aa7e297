// Charts over time, drawn by lightweight-charts: equity with drawdown below it, and candles with the trades on them.
//
// This file and the library are a chunk of their own: the page loads it after the first heatmap.

import type { IChartApi, ISeriesApi, LineData, SeriesMarker, Time, UTCTimestamp } from "lightweight-charts";
import { BaselineSeries, CandlestickSeries, ColorType, createChart, createSeriesMarkers, CrosshairMode, LineSeries, LineStyle, PriceScaleMode } from "lightweight-charts";
import type { Candles, Trial } from "../../engine/index.ts";
import { decimal, percent, short } from "../format.ts";

export interface Reading {
  time: number;
  /** Values under the crosshair, or the last ones, by series. */
  values: Record<string, number>;
}

/** An equity chart: `pinned` is a second trial to compare with. */
export interface EquityChart {
  show(trial: Trial, pinned: Trial | undefined, logarithmic: boolean): void;
  theme(): void;
  destroy(): void;
}

export interface CandleChart {
  show(candles: Candles, trades: Mark[]): void;
  /** Brings a span of time into the middle. */
  reveal(from: number, to: number): void;
  theme(): void;
  destroy(): void;
}

/** An entry or an exit on the candles. */
export interface Mark {
  time: number;
  side: "buy" | "sell";
  text: string;
}

const seconds = (ms: number) => Math.round(ms / 1000) as UTCTimestamp;

function colours(element: Element) {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  return {
    ink: colour("--ink"), faint: colour("--ink-3"), text: colour("--ink-2"), rule: colour("--rule-2"), paper: colour("--paper"),
    accent: colour("--accent"), loss: colour("--loss"), gain: colour("--gain"), wash: colour("--loss-wash"),
  };
}

function chartOn(container: HTMLElement): IChartApi {
  return createChart(container, {
    autoSize: true,
    layout: { fontSize: 11, fontFamily: getComputedStyle(container).fontFamily, attributionLogo: true },
    crosshair: { mode: CrosshairMode.Normal },
    rightPriceScale: { borderVisible: false },
    timeScale: { borderVisible: false, minBarSpacing: 0.01, lockVisibleTimeRangeOnResize: true },
    handleScroll: { vertTouchDrag: false },
  });
}

function dress(chart: IChartApi, container: HTMLElement): void {
  const c = colours(container);
  chart.applyOptions({
    layout: { background: { type: ColorType.Solid, color: c.paper }, textColor: c.text, panes: { separatorColor: c.rule, separatorHoverColor: c.rule } },
    grid: { vertLines: { color: c.rule }, horzLines: { color: c.rule } },
    crosshair: { vertLine: { color: c.faint, labelBackgroundColor: c.ink }, horzLine: { color: c.faint, labelBackgroundColor: c.ink } },
  });
}

function line(times: Float64Array, values: Float64Array): LineData<UTCTimestamp>[] {
  const points: LineData<UTCTimestamp>[] = [];
  let before = -Infinity;
  for (let i = 0; i < times.length; i++) {
    const time = seconds(times[i] as number);
    const value = values[i] as number;
    if (time > before && Number.isFinite(value)) {
      points.push({ time, value });
      before = time;
    }
  }
  return points;
}

export function createEquityChart(container: HTMLElement, onRead: (reading: Reading | undefined) => void): EquityChart {
  const chart = chartOn(container);
  const money = { type: "custom" as const, minMove: 0.01, formatter: (value: number) => (Math.abs(value) >= 1e6 ? short(value) : decimal(value, 0)) };
  const fraction = { type: "custom" as const, minMove: 0.0001, formatter: (value: number) => percent(value) };
  const quiet = { lastValueVisible: false, priceLineVisible: false, crosshairMarkerVisible: false } as const;
  const series: Record<string, ISeriesApi<"Line"> | ISeriesApi<"Baseline">> = {
    hold: chart.addSeries(LineSeries, { ...quiet, lineWidth: 1, priceFormat: money }, 0),
    pinned: chart.addSeries(LineSeries, { ...quiet, lineWidth: 1, lineStyle: LineStyle.Dashed, priceFormat: money }, 0),
    equity: chart.addSeries(LineSeries, { ...quiet, lineWidth: 2, lastValueVisible: true, priceFormat: money }, 0),
    holdDrawdown: chart.addSeries(LineSeries, { ...quiet, lineWidth: 1, priceFormat: fraction }, 1),
    pinnedDrawdown: chart.addSeries(LineSeries, { ...quiet, lineWidth: 1, lineStyle: LineStyle.Dashed, priceFormat: fraction }, 1),
    drawdown: chart.addSeries(BaselineSeries, { ...quiet, lineWidth: 1, baseValue: { type: "price", price: 0 }, priceFormat: fraction }, 1),
  };
  chart.panes()[0]?.setStretchFactor(3);
  chart.panes()[1]?.setStretchFactor(1);
  const theme = () => {
    dress(chart, container);
    const c = colours(container);
    series.hold?.applyOptions({ color: c.faint });
    series.holdDrawdown?.applyOptions({ color: c.faint });
    series.pinned?.applyOptions({ color: c.ink });
    series.pinnedDrawdown?.applyOptions({ color: c.ink });
    series.equity?.applyOptions({ color: c.accent });
    series.drawdown?.applyOptions({ topLineColor: c.loss, bottomLineColor: c.loss, bottomFillColor1: c.wash, bottomFillColor2: c.wash, topFillColor1: c.wash, topFillColor2: c.wash } as never);
  };
  theme();
  chart.subscribeCrosshairMove((event) => {
    if (event.time === undefined) return onRead(undefined);
    const values: Record<string, number> = {};
    for (const [name, one] of Object.entries(series)) {
      const point = event.seriesData.get(one);
      if (point && "value" in point) values[name] = point.value as number;
    }
    onRead({ time: (event.time as number) * 1000, values });
  });
  let span = "";
  return {
    show(trial, pinned, logarithmic) {
      chart.priceScale("right", 0).applyOptions({ mode: logarithmic ? PriceScaleMode.Logarithmic : PriceScaleMode.Normal });
      series.equity?.setData(line(trial.sessions, trial.equity));
      series.hold?.setData(line(trial.sessions, trial.benchmark));
      series.drawdown?.setData(line(trial.sessions, trial.drawdown));
      series.holdDrawdown?.setData(line(trial.sessions, trial.benchmarkDrawdown));
      series.pinned?.setData(pinned ? line(pinned.sessions, pinned.equity) : []);
      series.pinnedDrawdown?.setData(pinned ? line(pinned.sessions, pinned.drawdown) : []);
      const now = `${trial.sessions[0]} ${trial.sessions.at(-1)}`;
      // A zoom stays while trials change, and ends when the dates do.
      if (now !== span) chart.timeScale().fitContent();
      span = now;
    },
    theme,
    destroy: () => chart.remove(),
  };
}

export function createCandleChart(container: HTMLElement): CandleChart {
  const chart = chartOn(container);
  const candles = chart.addSeries(CandlestickSeries, { priceLineVisible: false, lastValueVisible: false });
  const markers = createSeriesMarkers<Time>(candles, []);
  let marks: Mark[] = [];
  let times: number[] = [];
  const place = () => {
    const c = colours(container);
    markers.setMarkers(
      marks.map((mark): SeriesMarker<Time> => ({
        time: seconds(mark.time),
        position: mark.side === "buy" ? "belowBar" : "aboveBar",
        shape: mark.side === "buy" ? "arrowUp" : "arrowDown",
        color: mark.side === "buy" ? c.gain : c.loss,
        text: mark.text,
        size: 0.8,
      })),
    );
  };
  const theme = () => {
    dress(chart, container);
    const c = colours(container);
    candles.applyOptions({ upColor: c.paper, downColor: c.text, borderUpColor: c.text, borderDownColor: c.text, wickUpColor: c.text, wickDownColor: c.text });
    place();
  };
  theme();
  let span = "";
  return {
    show(data, trades) {
      times = Array.from(data.time);
      const bars = times.map((time, i) => ({
        time: seconds(time), open: data.open[i] as number, high: data.high[i] as number, low: data.low[i] as number, close: data.close[i] as number,
      }));
      candles.setData(bars.filter((bar, i) => Number.isFinite(bar.close) && (i === 0 || bar.time > (bars[i - 1]?.time ?? 0))));
      marks = [...trades].sort((a, b) => a.time - b.time);
      place();
      const now = `${times[0]} ${times.at(-1)} ${data.close[0]}`;
      if (now !== span) chart.timeScale().setVisibleLogicalRange({ from: Math.max(times.length - 150, 0), to: times.length + 3 });
      span = now;
    },
    reveal(from, to) {
      const index = (time: number) => Math.max(times.findIndex((one) => one >= time), 0);
      const [a, b] = [index(from), index(to)];
      const around = Math.max(30, Math.round((b - a) * 0.4));
      chart.timeScale().setVisibleLogicalRange({ from: a - around, to: b + around });
    },
    theme,
    destroy: () => chart.remove(),
  };
}
