// A chart of one channel of everybody over time: a line a person, an area for all samples of one
// system, and a line at the moment that is shown.

const SVG = "http://www.w3.org/2000/svg";
const WIDTHS = { coeffs: 58, angles: 3, emotion: 25 };
const CHART = { width: 380, height: 150, left: 38, right: 8, top: 8, bottom: 22 };

// Round numbers (1, 2 or 5 times a power of ten apart) in a range, about `count` of them.
function ticks(low, high, count) {
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw * 0.999);
  const numbers = [];
  for (let n = Math.ceil(low / step - 1e-9); n <= high / step + 1e-9; n++) {
    numbers.push(Number((n * step).toPrecision(12)));
  }
  return numbers;
}

// What a person does in a channel, frame by frame, or null where it is not known.
function valuesOf(person, channel) {
  const sequence = person[channel.from];
  if (!sequence) return null;
  const width = WIDTHS[channel.from];
  return sequence.filter((_, place) => place % width === channel.index);
}

class Trace {
  // `seek` is called with the second that is pointed at.
  constructor(figure, data, first, seek) {
    Object.assign(this, { data, figure, seconds: data.frames / data.fps });
    this.select = figure.querySelector("select");
    this.select.value = first;
    this.select.addEventListener("change", () => this.draw());
    this.svg = figure.querySelector("svg");
    const pointed = (event) => {
      const box = this.svg.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * CHART.width;
      seek(((x - CHART.left) / (CHART.width - CHART.left - CHART.right)) * this.seconds);
    };
    this.svg.addEventListener("pointerdown", (event) => {
      this.svg.setPointerCapture(event.pointerId);
      pointed(event);
    });
    this.svg.addEventListener("pointermove", (event) => event.buttons && pointed(event));
  }

  // Draws the channel that is chosen; `shown` are the people whose lines stand out.
  draw(shown = this.shown) {
    this.shown = shown;
    const channel = this.data.channels[this.select.value];
    const lines = this.data.people
      .map((person) => ({ person, values: valuesOf(person, channel) }))
      .filter(({ values }) => values);
    this.#scale(channel, lines);
    const samples = lines.filter(({ person }) => person.kind === "sample");
    const visible = lines.filter(
      ({ person }) => person.kind !== "sample" || shown.includes(person),
    );
    this.svg.replaceChildren(
      ...this.#axes(),
      ...(samples.length > 1 && this.data.systems.length === 1 ? [this.#area(samples.map(({ values }) => values))] : []),
      ...visible.map(({ person, values }) => this.#line(person, values)),
      (this.now = this.#path("now", `M0 ${CHART.top}V${CHART.height - CHART.bottom}`)),
    );
    this.svg.setAttribute("aria-label", `${channel.label} over ${this.seconds.toFixed(1)} seconds`);
    this.at(this.time ?? 0);
  }

  // Moves the line to a second.
  at(time) {
    this.time = time;
    this.now.setAttribute("transform", `translate(${this.#x(time).toFixed(2)} 0)`);
  }

  #scale(channel, lines) {
    let [low, high] = channel.range;
    for (const { values } of lines) {
      for (const value of values) {
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
    const margin = 0.05 * (high - low);
    this.ends = [low - margin, high + margin];
  }

  #x(time) {
    return CHART.left + (time / this.seconds) * (CHART.width - CHART.left - CHART.right);
  }

  #y(value) {
    const [low, high] = this.ends;
    const bottom = CHART.height - CHART.bottom;
    return bottom - ((value - low) / (high - low)) * (bottom - CHART.top);
  }

  #path(style, d) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", style);
    path.setAttribute("d", d);
    return path;
  }

  #text(style, x, y, words) {
    const text = document.createElementNS(SVG, "text");
    for (const [name, value] of Object.entries({ class: style, x, y }))
      text.setAttribute(name, value);
    text.textContent = words;
    return text;
  }

  #axes() {
    const right = CHART.width - CHART.right;
    const bottom = CHART.height - CHART.bottom;
    const rows = ticks(...this.ends, 3).flatMap((value) => {
      const y = this.#y(value).toFixed(1);
      return [
        this.#path("grid", `M${CHART.left} ${y}H${right}`),
        this.#text("end", CHART.left - 6, Number(y) + 3.5, value),
      ];
    });
    const columns = ticks(0, this.seconds, 6).flatMap((second) => {
      const x = this.#x(second).toFixed(1);
      return [
        this.#path("tick", `M${x} ${bottom}v4`),
        this.#text("mid", x, bottom + 16, second ? second : "0 s"),
      ];
    });
    return [...rows, ...columns, this.#path("axis", `M${CHART.left} ${bottom}H${right}`)];
  }

  #points(values) {
    const fps = this.data.fps;
    return Array.from(
      values,
      (v, frame) => `${this.#x(frame / fps).toFixed(1)} ${this.#y(v).toFixed(1)}`,
    );
  }

  #line(person, values) {
    const group = document.createElementNS(SVG, "g");
    const system = this.data.systems.length > 1 && person.kind === "sample";
    const kind = system ? `system-${person.system}` : person.kind;
    group.setAttribute("class", kind + (this.shown[0] === person ? " aside" : ""));
    group.append(this.#path("line", `M${this.#points(values).join("L")}`));
    return group;
  }

  #area(samples) {
    const low = samples[0].map((_, frame) => Math.min(...samples.map((values) => values[frame])));
    const high = samples[0].map((_, frame) => Math.max(...samples.map((values) => values[frame])));
    const around = [...this.#points(high), ...this.#points(low).reverse()];
    const group = document.createElementNS(SVG, "g");
    group.setAttribute("class", "sample");
    group.append(this.#path("band", `M${around.join("L")}Z`));
    return group;
  }
}
