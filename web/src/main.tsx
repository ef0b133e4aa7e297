// Entry of the page: the engine starts first, the page is drawn while its module loads.

import { render } from "preact";
import { App } from "./ui/App.tsx";
import { start } from "./ui/session.ts";
import { restoreTheme } from "./ui/theme.ts";

restoreTheme();
// Another link in the same tab is another page.
addEventListener("hashchange", () => location.reload());
void start();
const root = document.getElementById("app");
if (root) render(<App />, root);
