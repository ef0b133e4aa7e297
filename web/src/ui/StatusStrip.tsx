// One line about the machine: what ran, how fast, on what, from where, and the run's id.

import { bytes, decimal, milliseconds, short } from "./format.ts";
import { copy } from "./link.ts";
import { engine, frame, opening, tooMany } from "./state.ts";

export function StatusStrip() {
  const now = frame.value;
  const running = engine.value;
  const stats = now?.stats;
  const cache = stats?.cache;
  const layers = cache ? [cache.assets, cache.history, cache.contexts] : [];
  const hits = layers.reduce((sum, layer) => sum + layer.hits, 0);
  const held = layers.reduce((sum, layer) => sum + layer.bytes, 0);
  return (
    <footer class="status" data-testid="status">
      <span class="state">
        {opening.value !== undefined ? `opening ${opening.value} …` : tooMany.value !== undefined ? "not run" : !running ? "starting …" : now?.final ? "done" : "running"}
      </span>
      {now && stats && (
        <>
          <Figure name="Trials evaluated of this run">{`${decimal(now.progress.trials, 0)} / ${decimal(now.progress.total, 0)} trials`}</Figure>
          {now.progress.byReference > 0 && (
            <Figure name={`The reference simulator evaluated them: ${now.progress.byReferenceBecause ?? ""}`}>
              {`${decimal(now.progress.byReference, 0)} by reference`}
            </Figure>
          )}
          <Figure name="Time of this run">{milliseconds(stats.elapsedMs)}</Figure>
          <Figure name="Bars times trials per second">{`${short(stats.barTrialsPerSecond)} bar-trials/s`}</Figure>
          <Figure name={running?.isolated ? "Threads that evaluate trials" : "Without the headers of cross-origin isolation browsers give a page one thread"}>
            {`${stats.cores} ${stats.cores === 1 ? "core" : "cores"}`}{running && !running.isolated && <em> single-threaded: page not isolated</em>}
          </Figure>
          <Figure name={`Hits of the caches: assets ${layers[0]?.hits ?? 0}, history ${layers[1]?.hits ?? 0}, contexts ${layers[2]?.hits ?? 0}; bytes held of a budget of ${bytes(cache?.budget ?? 0)}; the module's memory is ${bytes(cache?.memory ?? 0)}`}>
            {`cache ${short(hits)} hits, ${bytes(held)}`}
          </Figure>
          <Figure name="Bytes of the bundle that came over the network or from a file, and that an earlier visit had kept">
            {`read ${bytes(stats.bytesRead)}, kept ${bytes(stats.bytesFromStore)}`}
          </Figure>
          <span class="run">
            run{" "}
            <button type="button" class="plain code" data-testid="run-id" data-run-id={now.plan.id} title={`${now.plan.id}\nHash of bundle, strategy and plan, the same as the native program’s; a click copies it`} onClick={() => void copy(now.plan.id, "The run’s id")}>
              {now.plan.id.slice(0, 12)}
            </button>
          </span>
        </>
      )}
    </footer>
  );
}

function Figure({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return <span class="figure" title={name}>{children}</span>;
}
