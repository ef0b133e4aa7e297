// The page: header, study on the left, surface above the trial on the right, status below.

import { useEffect } from "preact/hooks";
import { DropZone } from "./DropZone.tsx";
import { Header } from "./Header.tsx";
import { keyPressed } from "./keyboard.ts";
import { Notices } from "./Notices.tsx";
import { Shortcuts } from "./Shortcuts.tsx";
import { StatusStrip } from "./StatusStrip.tsx";
import { Controls } from "./study/Controls.tsx";
import { StrategyPane, wide } from "./study/StrategyPane.tsx";
import { SurfacePane } from "./surface/SurfacePane.tsx";
import { TrialPanel } from "./trial/TrialPanel.tsx";

export function App() {
  useEffect(() => {
    addEventListener("keydown", keyPressed);
    return () => removeEventListener("keydown", keyPressed);
  }, []);
  return (
    <div class="page" data-testid="app">
      <Header />
      <main class={wide.value ? "rooms wide" : "rooms"}>
        <SurfacePane />
        <section class="study" aria-label="Study">
          <Controls />
          <StrategyPane />
        </section>
        <TrialPanel />
      </main>
      <StatusStrip />
      <Notices />
      <DropZone />
      <Shortcuts />
    </div>
  );
}
