// First and last session: a slider over the bundle's span in days, and two dates to type; and the date that holds sessions out.

import type { BundleInfo } from "../../engine/index.ts";
import type { Controls } from "../../study.ts";
import { day } from "../format.ts";
import { dateBetween, SEARCHED } from "../../holdout.ts";
import { change, replaceWith } from "../session.ts";
import { RangeSlider } from "./RangeSlider.tsx";

const DAY = 86_400_000;
const number = (date: string) => Math.round(Date.parse(`${date}T00:00:00Z`) / DAY);
const text = (days: number) => day(days * DAY);

export function DateRange({ settings, info }: { settings: Controls; info: BundleInfo }) {
  const first = info.symbols.map((entry) => entry.first).sort()[0] ?? "1970-01-01";
  const last = info.symbols.map((entry) => entry.last).sort().at(-1) ?? first;
  const start = settings.start ?? first;
  const end = settings.end ?? last;
  const years = ((number(end) - number(start)) / 365.25).toFixed(1);
  const slide = (low: number, high: number) => change({ start: text(low), end: text(high) });
  const type = (key: "start" | "end") => (event: Event) => {
    const { value, validity } = event.currentTarget as HTMLInputElement;
    // A year that is being typed is long before the data.
    if (validity.valid && value !== "") change({ [key]: value });
  };
  return (
    <fieldset>
      <legend>Dates <output class="count">{years} years</output></legend>
      <RangeSlider label="Dates" min={number(first)} max={number(last)} step={1} low={number(start)} high={number(end)} say={text} onInput={slide} />
      <div class="line dates">
        <input type="date" aria-label="First session" data-testid="control-start" min={first} max={end} value={start} onInput={type("start")} />
        <input type="date" aria-label="Last session" data-testid="control-end" min={start} max={last} value={end} onInput={type("end")} />
      </div>
      <Split settings={settings} start={start} end={end} />
    </fieldset>
  );
}

/** The date from which on sessions are kept from the search. */
function Split({ settings, start, end }: { settings: Controls; start: string; end: string }) {
  const { holdout, ...rest } = settings;
  const type = (event: Event) => {
    const { value, validity } = event.currentTarget as HTMLInputElement;
    if (validity.valid && value !== "") change({ holdout: value });
  };
  const [low, high] = [text(number(start) + 1), end];
  return (
    <div class="line split" title="The search sees the sessions before this date; the chosen trial is tested on those from it on.">
      <span class="name">Held out from</span>
      {holdout === undefined ? (
        <button type="button" class="plain" data-testid="add-holdout" onClick={() => change({ holdout: dateBetween(start, end, SEARCHED) })}>nothing</button>
      ) : (
        <>
          <input type="date" aria-label="First session that the search does not see" data-testid="control-holdout" min={low} max={high} value={holdout} onInput={type} />
          <button type="button" class="plain" aria-label="Hold nothing out" onClick={() => replaceWith(rest)}>×</button>
        </>
      )}
    </div>
  );
}
