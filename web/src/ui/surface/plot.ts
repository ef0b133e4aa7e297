// Geometry of a surface: where the plot lies on its canvas, which cell a pointer is in, which ticks have room.

export interface Plot {
  left: number;
  top: number;
  width: number;
  height: number;
  columns: number;
  rows: number;
}

export interface Cell {
  x: number;
  y: number;
}

const BELOW = 36;
const ABOVE = 6;
const RIGHT = 6;

/** The plot on a canvas of this size in CSS pixels; `label` is the width of the widest label of the y axis. */
export function plotOn(width: number, height: number, columns: number, rows: number, label: number): Plot {
  const left = Math.ceil(label) + 22;
  return { left, top: ABOVE, width: Math.max(width - left - RIGHT, 1), height: Math.max(height - ABOVE - BELOW, 1), columns, rows };
}

/** The cell under a point; rows count from the bottom. */
export function cellAt(plot: Plot, px: number, py: number): Cell | undefined {
  const x = Math.floor(((px - plot.left) / plot.width) * plot.columns);
  const y = plot.rows - 1 - Math.floor(((py - plot.top) / plot.height) * plot.rows);
  return x >= 0 && y >= 0 && x < plot.columns && y < plot.rows ? { x, y } : undefined;
}

/** Edges of a cell: left, top, right, bottom, on whole pixels. */
export function edges(plot: Plot, cell: Cell): [number, number, number, number] {
  const row = plot.rows - 1 - cell.y;
  return [
    Math.round(plot.left + (cell.x * plot.width) / plot.columns),
    Math.round(plot.top + (row * plot.height) / plot.rows),
    Math.round(plot.left + ((cell.x + 1) * plot.width) / plot.columns),
    Math.round(plot.top + ((row + 1) * plot.height) / plot.rows),
  ];
}

/** Indices of the ticks that fit: every first, second, fifth … value, so that labels stand `room` pixels apart. */
export function ticks(count: number, length: number, room: number): number[] {
  const most = Math.max(Math.floor(length / room), 1);
  const strides = [1, 2, 3, 4, 5, 10, 20, 25, 50, 100, 200, 500, 1000];
  const stride = strides.find((candidate) => Math.ceil(count / candidate) <= most) ?? count;
  return Array.from({ length: Math.ceil(count / stride) }, (_, i) => i * stride);
}
