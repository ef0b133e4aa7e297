// The engine's worker: one switch over requests. It owns the WebAssembly module.

import type { Package } from "../package.ts";
import { type Answer, failureOf, type Message, type Request } from "../protocol.ts";
import { openBundle } from "./bundles.ts";
import { Explorer } from "./explorer.ts";
import { transferables } from "./transfer.ts";

let sandtable: Package | undefined;
let explorer: Explorer | undefined;

function say(message: Message): void {
  self.postMessage(message, transferables(message));
}

self.onmessage = async ({ data: request }: MessageEvent<Request>) => {
  const { id } = request;
  try {
    say({ type: "answer", id, value: await answer(request) });
  } catch (error) {
    const why = trapOf(error);
    if (why === undefined) say({ type: "failure", id, error: failureOf(error) });
    else say({ type: "trap", id, why });
  }
};

async function answer(request: Request): Promise<Answer> {
  if (request.type === "start") return start(request);
  if (!sandtable || !explorer) throw new Error("the engine has not started");
  switch (request.type) {
    case "open":
      return explorer.use(await openBundle(sandtable, request.source, request.page));
    case "strategy":
      return sandtable.strategy(request.source);
    case "explore":
      return explorer.explore(request.study, request.view);
    case "setView":
      return void explorer.setView(request.view);
    case "trial":
      return explorer.trial(request.index);
    case "row":
      return explorer.row(request.index);
    case "candles":
      return explorer.candles(request.symbol);
    case "judgement":
      return explorer.judgement();
    case "walk":
      return explorer.walk();
    case "backtest":
      return explorer.backtest(request.study);
    case "export":
      return explorer.export(request.format);
    case "clearCache":
      return void sandtable.clearCache();
    case "ping":
      return undefined;
  }
}

async function start({ glue, module, threads }: Request & { type: "start" }): Promise<Answer> {
  sandtable = (await import(/* @vite-ignore */ glue)) as Package;
  await sandtable.default({ module_or_path: module });
  // Threads come up while bundle and plan are made; only the first trial waits for them.
  const pool = sandtable.initThreadPool?.(threads) ?? Promise.resolve();
  pool.catch((error: unknown) => say({ type: "noThreads", why: failureOf(error).sentence }));
  const cores = sandtable.initThreadPool ? threads : 1;
  explorer = new Explorer(sandtable, cores, pool, (frame) => say({ type: "frame", frame }));
  return sandtable.catalog();
}

/** Why the module cannot be used any more, if that is what the error means. */
function trapOf(error: unknown): string | undefined {
  const trap = error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
  return trap ? error.message : undefined;
}
