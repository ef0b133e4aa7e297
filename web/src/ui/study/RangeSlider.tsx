// A slider with two thumbs: two native range inputs on one track, so keyboard and touch work as browsers do them.

export interface RangeSliderProps {
  label: string;
  min: number;
  max: number;
  step: number;
  low: number;
  high: number;
  /** How a value is read out; the number itself if missing. */
  say?: (value: number) => string;
  onInput: (low: number, high: number) => void;
}

export function RangeSlider({ label, min, max, step, low, high, say, onInput }: RangeSliderProps) {
  const place = (value: number) => `${max > min ? ((Math.min(Math.max(value, min), max) - min) / (max - min)) * 100 : 0}%`;
  const read = (event: Event) => Number((event.currentTarget as HTMLInputElement).value);
  return (
    <div class="double" style={{ "--low": place(low), "--high": place(high) }}>
      <input
        type="range" aria-label={`${label}, from`} aria-valuetext={say?.(low)} min={min} max={max} step={step} value={low}
        onInput={(event) => onInput(Math.min(read(event), high), high)}
        // The lower thumb must stay reachable when both are at the upper end.
        style={{ zIndex: low > (min + max) / 2 ? 2 : 1 }}
      />
      <input
        type="range" aria-label={`${label}, to`} aria-valuetext={say?.(high)} min={min} max={max} step={step} value={high}
        onInput={(event) => onInput(low, Math.max(read(event), low))}
        style={{ zIndex: 1 }}
      />
    </div>
  );
}

export interface SliderProps {
  label: string;
  min: number;
  max: number;
  step: number;
  value: number;
  testid?: string;
  say?: (value: number) => string;
  onInput: (value: number) => void;
}

/** A slider with one thumb. */
export function Slider({ label, min, max, step, value, testid, say, onInput }: SliderProps) {
  const place = max > min ? ((Math.min(Math.max(value, min), max) - min) / (max - min)) * 100 : 0;
  return (
    <input
      type="range" class="single" aria-label={label} aria-valuetext={say?.(value)} data-testid={testid} min={min} max={max} step={step} value={value}
      style={{ "--high": `${place}%` }}
      onInput={(event) => onInput(Number(event.currentTarget.value))}
    />
  );
}
