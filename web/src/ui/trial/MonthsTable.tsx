// Returns by month and year, shaded by size; with a pinned trial, its yearly returns stand beside.

import type { Trial } from "../../engine/index.ts";
import { monthNames, percent } from "../format.ts";
import { pinned, trial } from "../state.ts";

type Month = Trial["months"][number];

export function MonthsTable() {
  const shown = trial.value;
  if (!shown) return null;
  const kept = pinned.value?.trial;
  const years = [...new Set(shown.months.map((month) => month.year))].sort((a, b) => b - a);
  const largest = Math.max(...shown.months.map((month) => Math.abs(month.value)).filter(Number.isFinite), 0.01);
  // The largest month of a long history would leave the others pale.
  const full = Math.min(largest, 0.15);
  return (
    <div class="scroll">
      <table class="months">
        <thead>
          <tr><th scope="col">Year</th>{monthNames.map((name) => <th key={name} scope="col">{name}</th>)}<th scope="col">Total</th>{kept && <th scope="col">Pinned</th>}</tr>
        </thead>
        <tbody>
          {years.map((year) => (
            <tr key={year}>
              <th scope="row">{year}</th>
              {monthNames.map((name, i) => {
                const value = shown.months.find((month) => month.year === year && month.month === i + 1)?.value;
                return <td key={name} style={shade(value, full)}>{value === undefined ? "" : percent(value).replace(" %", "")}</td>;
              })}
              <td class="total">{percent(compounded(shown.months, year))}</td>
              {kept && <td class="total">{percent(compounded(kept.months, year))}</td>}
            </tr>
          ))}
        </tbody>
      </table>
      <p class="note">Per cent of equity, by month; the total compounds the months of the year.</p>
    </div>
  );
}

function compounded(months: Month[], year: number): number {
  const own = months.filter((month) => month.year === year && Number.isFinite(month.value));
  return own.length === 0 ? NaN : own.reduce((growth, month) => growth * (1 + month.value), 1) - 1;
}

function shade(value: number | undefined, full: number): Record<string, string> {
  if (value === undefined || !Number.isFinite(value)) return {};
  const strength = Math.min(Math.abs(value) / full, 1) * 55;
  return { background: `color-mix(in srgb, var(${value < 0 ? "--loss" : "--gain"}) ${strength.toFixed(0)}%, transparent)` };
}
