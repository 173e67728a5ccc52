// The reaction as a table: what the server gave, before it is made stronger or weaker here.

import { WIDTH } from "./wire.js";

const MOST = 25 * 3600; // rows: an hour

export class Table {
  // `coeffs` and `emotions` are the names of a reaction's columns, `columns` Live Link Face's.
  constructor({ coeffs, emotions, live_link: columns }) {
    Object.assign(this, { coeffs, columns });
    this.names = ["time", ...coeffs, ...emotions];
    this.clear();
  }

  clear() {
    this.times = [];
    this.rows = [];
  }

  get length() {
    return this.times.length;
  }

  // Reactions 40 ms apart; what speaks of moments that are there already is left out.
  add(time, rows) {
    for (let i = 0; i < rows.length / WIDTH; i++) {
      const moment = time + 0.04 * i;
      if (this.length >= MOST || moment <= (this.times.at(-1) ?? -Infinity) + 0.02) continue;
      this.times.push(moment);
      this.rows.push(rows.subarray(WIDTH * i, WIDTH * (i + 1)));
    }
  }

  // CSV; the first row is at second 0.
  text() {
    const lines = this.rows.map((row, i) => {
      const numbers = Array.from(row, (value) => String(Number(value.toPrecision(6))));
      return [(this.times[i] - this.times[0]).toFixed(3), ...numbers].join(",");
    });
    return [this.names.join(","), ...lines, ""].join("\n");
  }

  // The face for other programs.
  liveLink() {
    const { coeffs: names, columns, times, rows } = this;
    return liveLinkCsv({ names, columns, times, rows });
  }
}

// Gives the person a file.
export function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
