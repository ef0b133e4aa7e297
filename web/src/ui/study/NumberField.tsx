// A number that is typed: taken while it is being typed if it is one within its bounds, shown as it is when it is left.

import { useSignal } from "@preact/signals";

export interface NumberFieldProps {
  label: string;
  value: number;
  min?: number;
  max?: number;
  step?: number | "any";
  testid?: string;
  width?: number;
  onInput: (value: number) => void;
}

export function NumberField({ label, value, min = -Infinity, max = Infinity, step = "any", testid, width = 5, onInput }: NumberFieldProps) {
  // While the field has the focus it shows what was typed, not what was made of it.
  const typed = useSignal<string | undefined>(undefined);
  const read = (event: Event) => {
    const text = (event.currentTarget as HTMLInputElement).value;
    typed.value = text;
    const number = Number(text);
    if (text.trim() !== "" && Number.isFinite(number) && number >= min && number <= max && number !== value) onInput(number);
  };
  return (
    <input
      type="number" inputMode="decimal" class="number" aria-label={label} data-testid={testid} step={step}
      min={Number.isFinite(min) ? min : undefined} max={Number.isFinite(max) ? max : undefined}
      value={typed.value ?? Number(value.toPrecision(12))} style={{ width: `${width}ch` }}
      onInput={read} onBlur={() => (typed.value = undefined)}
    />
  );
}
