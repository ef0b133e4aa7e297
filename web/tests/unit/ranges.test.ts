import { expect, test } from "@playwright/test";
import { merge } from "../../src/engine/worker/ranges.ts";

test("neighbours within the gap become one request", () => {
  const ranges = [
    { start: 100, end: 200 },
    { start: 0, end: 50 },
    { start: 210, end: 220 },
    { start: 150, end: 160 },
  ];
  expect(merge(ranges, 10)).toEqual([
    { start: 0, end: 50 },
    { start: 100, end: 220 },
  ]);
  expect(merge([], 10)).toEqual([]);
});
