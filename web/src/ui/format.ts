// Numbers and dates as text: fixed decimals by unit, a real minus sign, tabular widths.

const MINUS = "\u2212";
const NONE = "–";

const grouped = (digits: number) => new Intl.NumberFormat("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
const byDigits = [0, 1, 2, 3, 4].map(grouped);

/** A number with this many decimals, thousands grouped. */
export function decimal(value: number, digits: number): string {
  if (!Number.isFinite(value)) return NONE;
  const text = (byDigits[digits] ?? grouped(digits)).format(value);
  return /[1-9]/.test(text) ? text.replace("-", MINUS) : text.replace("-", "");
}

/** A fraction as a percentage. */
export function percent(value: number, digits = 1): string {
  return Number.isFinite(value) ? `${decimal(value * 100, digits)} %` : NONE;
}

/** A metric's value in its unit. */
export function inUnit(value: number, unit: string): string {
  if (!Number.isFinite(value)) return NONE;
  switch (unit.toLowerCase()) {
    case "percent":
      return percent(value, Math.abs(value) >= 10 ? 0 : Math.abs(value) >= 1 ? 1 : 2);
    case "money":
      return decimal(value, Math.abs(value) >= 1000 ? 0 : 2);
    case "count":
      return decimal(value, 0);
    case "bars":
    case "sessions":
    case "days":
      return decimal(value, Number.isInteger(value) ? 0 : 1);
    default:
      return decimal(value, Math.abs(value) >= 100 ? 1 : Math.abs(value) >= 10 ? 2 : 3);
  }
}

/** A parameter's value: as short as it can be written. */
export function parameter(value: number, kind?: string): string {
  if (kind === "bool") return value === 0 ? "false" : "true";
  if (!Number.isFinite(value)) return NONE;
  return String(Number(value.toPrecision(10))).replace("-", MINUS);
}

/** 1,234,567 as 1.23 M. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return NONE;
  const steps: [number, string][] = [[1e9, " G"], [1e6, " M"], [1e3, " k"]];
  for (const [size, name] of steps) {
    if (Math.abs(value) >= size) return decimal(value / size, Math.abs(value) >= 100 * size ? 0 : Math.abs(value) >= 10 * size ? 1 : 2) + name;
  }
  return decimal(value, 0);
}

export function bytes(count: number): string {
  if (count < 1000) return `${decimal(count, 0)} B`;
  if (count < 1e6) return `${decimal(count / 1e3, count < 1e4 ? 1 : 0)} kB`;
  return count < 1e9 ? `${decimal(count / 1e6, count < 1e7 ? 1 : 0)} MB` : `${decimal(count / 1e9, 2)} GB`;
}

export function milliseconds(ms: number): string {
  return ms < 1000 ? `${decimal(ms, 0)} ms` : `${decimal(ms / 1000, ms < 10_000 ? 2 : 1)} s`;
}

/** YYYY-MM-DD of milliseconds since 1970, UTC. */
export function day(ms: number): string {
  return Number.isFinite(ms) ? new Date(ms).toISOString().slice(0, 10) : NONE;
}

export const monthNames = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
