// Draws a surface on a canvas: the cells as one image, then axes; and, on a canvas above it, selection and crosshair.
//
// A cell is coloured, or neutral (not evaluated, or cut by a condition), or hatched (evaluated, metric undefined).

import { parameter } from "../format.ts";
import type { Palette } from "./palette.ts";
import { share, steps } from "./palette.ts";
import type { Cell, Plot } from "./plot.ts";
import { edges, ticks } from "./plot.ts";

export interface Ink {
  text: string;
  faint: string;
  rule: string;
  paper: string;
  accent: string;
  pending: readonly [number, number, number];
}

export interface Sheet {
  x: string;
  y: string;
  xValues: Float64Array;
  yValues: Float64Array;
  cells: Float64Array;
  /** Of each cell, whether it has been evaluated. */
  known: Uint8Array;
}

const FONT = '11px ui-sans-serif, system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
const NAME_FONT = `600 ${FONT}`;

/** Colours of the page's theme, for the canvas. */
export function inkOf(element: Element): Ink {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const pending = colour("--pending").replace("#", "");
  return {
    text: colour("--ink"),
    faint: colour("--ink-2"),
    rule: colour("--rule"),
    paper: colour("--paper"),
    accent: colour("--accent"),
    pending: [0, 2, 4].map((at) => parseInt(pending.slice(at, at + 2), 16)) as unknown as readonly [number, number, number],
  };
}

/** Width of the widest label of the y axis. */
export function labelWidth(context: CanvasRenderingContext2D, values: Float64Array): number {
  context.font = FONT;
  let widest = 0;
  const every = Math.max(1, Math.floor(values.length / 50));
  for (let i = 0; i < values.length; i += every) widest = Math.max(widest, context.measureText(parameter(values[i] as number)).width);
  return widest;
}

/** The cells as an image of one pixel each, top row first. */
export function imageOf(sheet: Sheet, palette: Palette, ink: Ink): ImageData {
  const columns = Math.max(sheet.xValues.length, 1);
  const rows = Math.max(sheet.yValues.length, 1);
  const image = new ImageData(columns, rows);
  const colours = steps(palette);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const cell = y * columns + x;
      const at = ((rows - 1 - y) * columns + x) * 4;
      const value = sheet.cells[cell] ?? NaN;
      if (Number.isNaN(value)) {
        image.data.set([...ink.pending, sheet.known[cell] ? 0 : 255], at);
        continue;
      }
      const step = Math.round(Math.min(Math.max(share(palette, value), 0), 1) * 255) * 3;
      image.data[at] = colours[step] as number;
      image.data[at + 1] = colours[step + 1] as number;
      image.data[at + 2] = colours[step + 2] as number;
      image.data[at + 3] = 255;
    }
  }
  return image;
}

let stamp: HTMLCanvasElement | undefined;

/** Draws cells and axes. */
export function paintSheet(context: CanvasRenderingContext2D, plot: Plot, sheet: Sheet, palette: Palette, ink: Ink): void {
  const image = imageOf(sheet, palette, ink);
  stamp ??= document.createElement("canvas");
  stamp.width = image.width;
  stamp.height = image.height;
  stamp.getContext("2d")?.putImageData(image, 0, 0);
  // Only a cell without a colour lets the hatching through, and it takes longer than everything else together.
  if (sheet.cells.some((value, cell) => Number.isNaN(value) && sheet.known[cell])) hatch(context, plot, ink);
  context.imageSmoothingEnabled = false;
  context.drawImage(stamp, plot.left, plot.top, plot.width, plot.height);
  axes(context, plot, sheet, ink);
}

function hatch(context: CanvasRenderingContext2D, plot: Plot, ink: Ink): void {
  context.save();
  context.beginPath();
  context.rect(plot.left, plot.top, plot.width, plot.height);
  context.clip();
  context.fillStyle = ink.paper;
  context.fillRect(plot.left, plot.top, plot.width, plot.height);
  context.strokeStyle = ink.rule;
  context.lineWidth = 1;
  context.beginPath();
  for (let at = -plot.height; at < plot.width; at += 6) {
    context.moveTo(plot.left + at, plot.top + plot.height);
    context.lineTo(plot.left + at + plot.height, plot.top);
  }
  context.stroke();
  context.restore();
}

function axes(context: CanvasRenderingContext2D, plot: Plot, sheet: Sheet, ink: Ink): void {
  const bottom = plot.top + plot.height;
  context.fillStyle = ink.faint;
  context.strokeStyle = ink.faint;
  context.lineWidth = 1;
  context.font = FONT;
  context.textAlign = "center";
  context.textBaseline = "top";
  const widest = labelWidth(context, sheet.xValues);
  for (const i of ticks(plot.columns, plot.width, widest + 8)) {
    const middle = plot.left + ((i + 0.5) * plot.width) / plot.columns;
    tick(context, middle, bottom, 0, 4);
    context.fillText(parameter(sheet.xValues[i] ?? NaN), middle, bottom + 6);
  }
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const i of sheet.yValues.length > 1 ? ticks(plot.rows, plot.height, 16) : []) {
    const middle = bottom - ((i + 0.5) * plot.height) / plot.rows;
    tick(context, plot.left, middle, -4, 0);
    context.fillText(parameter(sheet.yValues[i] ?? NaN), plot.left - 6, middle);
  }
  context.fillStyle = ink.text;
  context.font = NAME_FONT;
  context.textAlign = "right";
  context.textBaseline = "bottom";
  context.fillText(`${sheet.x} →`, plot.left + plot.width, bottom + 35);
  if (sheet.yValues.length > 1) {
    context.save();
    context.translate(2, plot.top);
    context.rotate(-Math.PI / 2);
    context.textAlign = "right";
    context.textBaseline = "top";
    context.fillText(`${sheet.y} →`, 0, 0);
    context.restore();
  }
}

function tick(context: CanvasRenderingContext2D, x: number, y: number, dx: number, dy: number): void {
  context.beginPath();
  context.moveTo(Math.round(x) + 0.5, Math.round(y) + 0.5);
  context.lineTo(Math.round(x) + dx + 0.5, Math.round(y) + dy + 0.5);
  context.stroke();
}

export interface Marks {
  hover?: Cell | undefined;
  selected?: Cell | undefined;
  pinned?: Cell | undefined;
}

/** Draws what moves over the image: the crosshair, the selected and the pinned cell. */
export function paintMarks(context: CanvasRenderingContext2D, plot: Plot, sheet: Sheet, marks: Marks, ink: Ink): void {
  if (marks.pinned) frame(context, plot, marks.pinned, "#ffffff", "#000000", [4, 3]);
  if (marks.selected) frame(context, plot, marks.selected, "#ffffff", "#000000", []);
  const cell = marks.hover;
  if (!cell) return;
  const [left, top, right, bottom] = edges(plot, cell);
  context.beginPath();
  const middle = Math.round((left + right) / 2) + 0.5;
  const centre = Math.round((top + bottom) / 2) + 0.5;
  context.moveTo(plot.left, centre);
  context.lineTo(left, centre);
  context.moveTo(middle, bottom);
  context.lineTo(middle, plot.top + plot.height);
  context.rect(left + 0.5, top + 0.5, right - left - 1, bottom - top - 1);
  // Two strokes, because a line of one colour vanishes in a part of every scale.
  context.strokeStyle = ink.paper;
  context.globalAlpha = 0.6;
  context.lineWidth = 3;
  context.stroke();
  context.globalAlpha = 1;
  context.strokeStyle = ink.text;
  context.lineWidth = 1;
  context.stroke();
  flag(context, parameter(sheet.xValues[cell.x] ?? NaN), middle, plot.top + plot.height + 12, "center", ink, plot);
  if (sheet.yValues.length > 1) flag(context, parameter(sheet.yValues[cell.y] ?? NaN), plot.left - 6, centre, "right", ink, plot);
}

function frame(context: CanvasRenderingContext2D, plot: Plot, cell: Cell, outer: string, inner: string, dash: number[]): void {
  const [left, top, right, bottom] = edges(plot, cell);
  context.lineWidth = 4;
  context.strokeStyle = outer;
  context.setLineDash([]);
  context.strokeRect(left, top, right - left, bottom - top);
  context.lineWidth = 2;
  context.strokeStyle = inner;
  context.setLineDash(dash);
  context.strokeRect(left, top, right - left, bottom - top);
  context.setLineDash([]);
}

function flag(context: CanvasRenderingContext2D, text: string, x: number, y: number, align: "center" | "right", ink: Ink, plot: Plot): void {
  context.font = FONT;
  context.textAlign = align;
  context.textBaseline = "middle";
  const width = context.measureText(text).width + 8;
  const at = align === "center" ? Math.min(Math.max(x, plot.left + width / 2), plot.left + plot.width - width / 2) : x;
  const left = align === "center" ? at - width / 2 : at - width + 4;
  context.fillStyle = ink.text;
  context.fillRect(left, y - 8, width, 16);
  context.fillStyle = ink.paper;
  context.fillText(text, at, y + 0.5);
}
