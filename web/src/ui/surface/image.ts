// The surface on screen as a PNG, with its axes and a line that says what it shows.

import { inUnit } from "../format.ts";
import { engine, metricsByName, surface } from "../state.ts";
import { inkOf, labelWidth, paintSheet } from "./paint.ts";
import type { Palette } from "./palette.ts";
import { steps } from "./palette.ts";
import { plotOn } from "./plot.ts";
import { palette } from "./scale.ts";

const WIDTH = 900;
const HEIGHT = 720;
const TITLE = 40;

export function surfaceImage(): Promise<Blob | undefined> {
  const shown = surface.value;
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  const colours = palette.value;
  if (!shown || !context || !colours) return Promise.resolve(undefined);
  canvas.width = WIDTH * 2;
  canvas.height = HEIGHT * 2;
  context.scale(2, 2);
  const ink = inkOf(document.documentElement);
  context.fillStyle = ink.paper;
  context.fillRect(0, 0, WIDTH, HEIGHT);
  const plot = plotOn(WIDTH - 20, HEIGHT - TITLE - 10, shown.xValues.length, shown.yValues.length, labelWidth(context, shown.yValues));
  context.fillStyle = ink.text;
  context.font = "600 14px ui-sans-serif, system-ui, sans-serif";
  const title = metricsByName.value.get(shown.metric)?.title ?? shown.metric;
  context.fillText(`${shown.plan.name}: ${title}`, 10, 24);
  context.fillStyle = ink.faint;
  context.font = "11px ui-sans-serif, system-ui, sans-serif";
  context.textAlign = "right";
  context.fillText(`${shown.plan.start} to ${shown.plan.end} · run ${shown.plan.id.slice(0, 12)} · sandtable ${engine.value?.catalog.version ?? ""}`, WIDTH - 10, 24);
  context.textAlign = "left";
  context.translate(10, TITLE);
  paintSheet(context, plot, shown, colours, ink);
  scale(context, colours, plot.left, plot.top + plot.height + 24, metricsByName.value.get(shown.metric)?.unit ?? "ratio");
  return new Promise((resolve) => canvas.toBlob((blob) => resolve(blob ?? undefined), "image/png"));
}

/** The colours with their ends, in one line. */
function scale(context: CanvasRenderingContext2D, of: Palette, left: number, top: number, unit: string): void {
  const colours = steps(of);
  context.fillStyle = inkOf(document.documentElement).faint;
  const low = inUnit(of.low, unit);
  context.font = "11px ui-sans-serif, system-ui, sans-serif";
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.fillText(low, left, top + 4);
  const start = left + context.measureText(low).width + 8;
  for (let i = 0; i < 256; i++) {
    context.fillStyle = `rgb(${colours[i * 3]} ${colours[i * 3 + 1]} ${colours[i * 3 + 2]})`;
    context.fillRect(start + i, top, 1.5, 8);
  }
  context.fillStyle = inkOf(document.documentElement).faint;
  context.fillText(inUnit(of.high, unit), start + 264, top + 4);
}
