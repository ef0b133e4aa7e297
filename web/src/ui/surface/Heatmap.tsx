// One surface on a canvas, with what moves over it on a second one; pointer and arrow keys select trials.

import { effect, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { parameter } from "../format.ts";
import { choose, pin, pinnedCell, pointAt, selectedCell } from "../selection.ts";
import { hover, surface } from "../state.ts";
import { dark } from "../theme.ts";
import { CellCard } from "./CellCard.tsx";
import { describe } from "./describe.ts";
import { inkOf, labelWidth, paintMarks, paintSheet } from "./paint.ts";
import type { Cell, Plot } from "./plot.ts";
import { cellAt, plotOn } from "./plot.ts";
import { palette } from "./scale.ts";
import type { Surface } from "./surface.ts";

export type Layer = "cells" | "plateau";

const KEYS: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

export function Heatmap({ layer }: { layer: Layer }) {
  const box = useRef<HTMLDivElement>(null);
  const image = useRef<HTMLCanvasElement>(null);
  const marks = useRef<HTMLCanvasElement>(null);
  const size = useSignal<[number, number]>([0, 0]);
  const plot = useRef<Plot | undefined>(undefined);
  /** Where the pointer is and how much room is right of it, for the card; undefined if the keyboard moves. */
  const pointer = useSignal<[number, number, number] | undefined>(undefined);

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() => (size.value = [element.clientWidth, element.clientHeight]));
    observer.observe(element);
    const stopImage = effect(() => {
      const shown = surface.value;
      const context = sized(image.current, size.value);
      void dark.value;
      if (!context || !shown || !palette.value) return;
      const sheet = layer === "cells" ? shown : { ...shown, cells: shown.plateau };
      plot.current = plotOn(...size.value, shown.xValues.length, shown.yValues.length, labelWidth(context, shown.yValues));
      // Both views have one scale, so that they can be compared.
      paintSheet(context, plot.current, sheet, palette.value, inkOf(element));
    });
    const stopMarks = effect(() => {
      const shown = surface.value;
      const context = sized(marks.current, size.value);
      void dark.value;
      if (!context || !shown || !plot.current) return;
      paintMarks(context, plot.current, shown, { hover: hover.value, selected: selectedCell(), pinned: pinnedCell() }, inkOf(element));
    });
    return () => {
      observer.disconnect();
      stopImage();
      stopMarks();
    };
  }, []);

  const at = (event: PointerEvent | MouseEvent): Cell | undefined => {
    const bounds = box.current?.getBoundingClientRect();
    return bounds && plot.current ? cellAt(plot.current, event.clientX - bounds.left, event.clientY - bounds.top) : undefined;
  };
  const move = (event: PointerEvent) => {
    const cell = at(event);
    const bounds = box.current?.getBoundingClientRect();
    pointer.value = cell && bounds ? [event.clientX - bounds.left, event.clientY - bounds.top, window.innerWidth - event.clientX] : undefined;
    if (cell?.x !== hover.value?.x || cell?.y !== hover.value?.y) pointAt(cell);
    if (cell && event.buttons === 1 && event.pointerType === "mouse") choose(cell);
  };
  const leave = () => {
    pointer.value = undefined;
    pointAt(undefined);
  };
  const press = (event: MouseEvent) => {
    const cell = at(event);
    if (cell) choose(cell);
  };
  const key = (event: KeyboardEvent) => {
    const shown = surface.value;
    if (!shown || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter") {
      event.preventDefault();
      return pin();
    }
    const step = KEYS[event.key];
    if (!step) return;
    event.preventDefault();
    const from = selectedCell() ?? { x: 0, y: 0 };
    const far = event.shiftKey ? 5 : 1;
    const clamp = (value: number, count: number) => Math.min(Math.max(value, 0), count - 1);
    choose({ x: clamp(from.x + step[0] * far, shown.xValues.length), y: clamp(from.y + step[1] * far, shown.yValues.length) });
    pointer.value = undefined;
    pointAt(undefined);
  };

  const shown = surface.value;
  const cell = shown ? selectedCell() : undefined;
  const name = layer === "cells" ? "Heatmap" : "Plateau: median of each cell and its neighbours";
  return (
    <div
      ref={box} class="heatmap" data-testid={layer === "cells" ? "heatmap" : "plateau"} tabIndex={0} role="application" aria-roledescription="heatmap"
      aria-label={`${name}${shown ? `, ${shown.metric} over ${shown.x} and ${shown.y}, ${shown.xValues.length} by ${shown.yValues.length}` : ""}. Arrow keys select a trial, Enter pins it.`}
      data-columns={shown?.xValues.length} data-rows={shown?.yValues.length} data-filled={shown?.filled}
      onPointerMove={move} onPointerLeave={leave} onClick={press} onKeyDown={key}
    >
      <canvas ref={image} aria-hidden="true" />
      <canvas ref={marks} aria-hidden="true" />
      {layer === "cells" && <span class="visually-hidden" aria-live="polite">{shown && cell ? `${parameterText(shown, cell)}: ${describe(shown, cell)}` : ""}</span>}
      {shown && hover.value && pointer.value && <CellCard surface={shown} cell={hover.value} layer={layer} at={pointer.value} box={size.value} />}
    </div>
  );
}

function parameterText(shown: Surface, cell: Cell): string {
  const x = `${shown.x} ${parameter(shown.xValues[cell.x] ?? NaN)}`;
  return shown.yValues.length > 1 ? `${x}, ${shown.y} ${parameter(shown.yValues[cell.y] ?? NaN)}` : x;
}

/** The context of a canvas with as many pixels as the screen shows, cleared. */
function sized(canvas: HTMLCanvasElement | null, [width, height]: [number, number]): CanvasRenderingContext2D | undefined {
  const context = canvas?.getContext("2d");
  if (!canvas || !context || width === 0 || height === 0) return undefined;
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

