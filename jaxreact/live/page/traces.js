// Charts of the last ten seconds: a dashed line for the speaker, a full one for the listener.

export const SECONDS = 10;
const MOST = 60 * SECONDS; // points of a line
const GAP = 1; // s without a value that break a line

const LEFT = 34; // CSS pixels
const TOP = 6;
const BOTTOM = 18;

export class Trace {
  // `range` are the ends of the axis, which grows where a line leaves it.
  constructor(canvas, range) {
    Object.assign(this, { canvas, range, lines: { speaker: [], sample: [] } });
  }

  // A value that someone has at a moment: "speaker", or "sample" for the reaction.
  add(who, time, value) {
    const line = this.lines[who];
    line.push([time, value]);
    if (line.length > MOST) line.shift();
  }

  clear() {
    this.lines = { speaker: [], sample: [] };
  }

  // Draws the seconds up to `now`.
  draw(now, colors) {
    const { canvas } = this;
    const { clientWidth: width, clientHeight: height } = canvas;
    if (!width || !height) return;
    const scale = window.devicePixelRatio;
    // Setting the size clears the canvas, even to the same.
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    const [low, high] = this.#ends(now);
    const x = (time) => width - 4 - ((now - time) / SECONDS) * (width - LEFT - 4);
    const y = (value) => height - BOTTOM - ((value - low) / (high - low)) * (height - BOTTOM - TOP);
    this.#axes(pen, { x, y, low, high, now, width, height, colors });
    pen.beginPath();
    pen.rect(LEFT, 0, width - LEFT, height);
    pen.clip();
    for (const who of ["speaker", "sample"]) {
      pen.strokeStyle = colors[who];
      pen.lineWidth = who === "sample" ? 1.8 : 1.3;
      pen.setLineDash(who === "sample" ? [] : [4, 2]);
      pen.lineJoin = "round";
      pen.beginPath();
      let last = -Infinity;
      for (const [time, value] of this.lines[who]) {
        if (time > now - SECONDS - GAP && time <= now) {
          if (time - last > GAP) pen.moveTo(x(time), y(value));
          else pen.lineTo(x(time), y(value));
        }
        last = time;
      }
      pen.stroke();
    }
  }

  #ends(now) {
    let [low, high] = this.range;
    for (const line of Object.values(this.lines)) {
      for (const [time, value] of line) {
        if (time < now - SECONDS) continue;
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
    return [low, high];
  }

  #axes(pen, { x, y, low, high, now, width, height, colors }) {
    pen.font = `11px ${colors.font}`;
    pen.fillStyle = colors.quiet;
    pen.strokeStyle = colors.rule;
    pen.lineWidth = 1;
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    const middle = low < 0 && high > 0 ? 0 : (low + high) / 2;
    for (const value of [low, middle, high]) {
      pen.beginPath();
      pen.moveTo(LEFT, Math.round(y(value)) + 0.5);
      pen.lineTo(width, Math.round(y(value)) + 0.5);
      pen.stroke();
      pen.fillText(String(Number(value.toPrecision(2))), LEFT - 6, y(value));
    }
    pen.textBaseline = "alphabetic";
    const labels = [
      [10, "left"],
      [5, "center"],
      [0, "right"],
    ];
    for (const [ago, align] of width < 220 ? [labels[0], labels[2]] : labels) {
      pen.textAlign = align;
      pen.fillText(ago ? `−${ago} s` : "now", x(now - ago), height - 4);
    }
  }
}
