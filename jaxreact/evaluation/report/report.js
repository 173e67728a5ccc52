"use strict";
// While a clip's video plays, a line runs along its traces; a click on a trace seeks.
for (const clip of document.querySelectorAll(".clip")) {
  const video = clip.querySelector("video");
  if (!video) continue;
  const lines = [...clip.querySelectorAll(".now")];
  const draw = () => {
    for (const line of lines) {
      const { left, width, seconds } = line.dataset;
      const x = +left + (Math.min(video.currentTime, +seconds) / +seconds) * +width;
      line.setAttribute("transform", `translate(${x} 0)`);
      line.classList.add("on");
    }
    if (!video.paused && !video.ended) requestAnimationFrame(draw);
  };
  video.addEventListener("play", draw);
  video.addEventListener("seeked", draw);
  for (const line of lines) {
    const chart = line.ownerSVGElement;
    chart.classList.add("seekable");
    chart.addEventListener("click", (event) => {
      const box = chart.getBoundingClientRect();
      const { left, width, seconds } = line.dataset;
      const place = ((event.clientX - box.left) / box.width) * chart.viewBox.baseVal.width;
      video.currentTime = Math.max(0, Math.min(1, (place - +left) / +width)) * +seconds;
    });
  }
}
// A click on a column's head sorts the table by it, and once more the other way round.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const value = (row, column) => {
    const cell = row.cells[column];
    const data = cell.querySelector("data");
    return data ? +data.value : column ? NaN : cell.textContent;
  };
  const compare = (a, b) =>
    typeof a === "string" ? a.localeCompare(b, undefined, { numeric: true }) : a - b;
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...body.rows].map((row) => [value(row, column), row]);
      const known = rows.filter(([key]) => key === key);
      known.sort(([a], [b]) => (down ? compare(b, a) : compare(a, b)));
      const missing = rows.filter(([key]) => key !== key);
      body.append(...[...known, ...missing].map(([, row]) => row));
    });
  });
}
