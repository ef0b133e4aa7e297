// What the page has to say: errors, defects of data, differences of a link; each can be dismissed.

import { useEffect } from "preact/hooks";
import type { Notice } from "./state.ts";
import { dismiss, notices, planError } from "./state.ts";

export function Notices() {
  const error = planError.value;
  return (
    <div class="notices" role="status" aria-live="polite">
      {error && (
        <div class="notice error" data-testid="notice" role="alert">
          <p>{error.sentence ?? error.message}{error.help && <span class="help"> {error.help}</span>}</p>
          <button type="button" class="plain" aria-label="Dismiss" onClick={() => (planError.value = undefined)}>×</button>
        </div>
      )}
      {notices.value.map((notice) => <One key={notice.id} notice={notice} />)}
    </div>
  );
}

function One({ notice }: { notice: Notice }) {
  // What only confirms goes by itself.
  useEffect(() => {
    if (notice.topic !== "copied" || notice.lines) return undefined;
    const timer = setTimeout(() => dismiss(notice.topic), 4000);
    return () => clearTimeout(timer);
  }, [notice]);
  return (
    <div class={`notice ${notice.kind}`} data-testid="notice">
      <div>
        <p>{notice.text}</p>
        {notice.lines && <ul>{notice.lines.map((line, i) => <li key={i}>{line}</li>)}</ul>}
      </div>
      <button type="button" class="plain" aria-label="Dismiss" onClick={() => dismiss(notice.topic)}>×</button>
    </div>
  );
}
