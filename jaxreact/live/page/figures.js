// The figures below the faces, twice a second.

import { accountOf } from "./account.js";
import { framesOf } from "./controls.js";

const find = (query) => document.querySelector(query);
const NONE = "–";

// `latency` in seconds, null while no reaction is shown; `status` is the server's, or null;
// `counts` are what was lost here.
export function showFigures({ latency, status, step, tracked, drawn, counts }) {
  find("#latency").textContent = latency === null ? NONE : `${Math.round(1000 * latency)} ms`;
  find("#server").textContent = status?.step_ms ? `${Math.round(status.step_ms)} ms` : NONE;
  const late = status?.late_ms ? `; ${Math.round(status.late_ms)} ms behind` : "";
  find("#server-hint").textContent = `for a step of ${framesOf(step)}${late}`;
  find("#tracked").textContent = tracked.toFixed(0);
  find("#drawn").textContent = drawn.toFixed(0);
  find("#account").textContent = accountOf({ ...status?.bridged, ...status?.dropped, ...counts });
}

export function clearFigures() {
  for (const name of ["latency", "server", "tracked", "drawn"]) {
    find(`#${name}`).textContent = NONE;
  }
}
