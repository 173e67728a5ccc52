// The page: two heads, their clock, and what moves it.

const find = (query, from = document) => from.querySelector(query);

// A clock that follows the sound as long as there is any, and else the time of day.
class Clock {
  constructor(audio, seconds) {
    Object.assign(this, { audio, seconds, time: 0, speed: 1, playing: false });
  }

  play() {
    if (this.time >= this.seconds - 0.02) this.time = 0;
    this.playing = true;
    this.last = performance.now();
    if (this.audio) this.audio.playbackRate = this.speed;
    this.seek(this.time);
  }

  pause() {
    this.playing = false;
    this.audio?.pause();
  }

  seek(time) {
    this.time = Math.min(Math.max(time, 0), this.seconds);
    if (!this.audio) return;
    this.audio.currentTime = this.time;
    // Where it is refused, or the sound ends early, the heads move all the same.
    if (this.playing) this.audio.play().catch(() => {});
  }

  set(speed) {
    this.speed = speed;
    if (this.audio) this.audio.playbackRate = speed;
  }

  // Goes on to now; stops at the end.
  advance(now) {
    const elapsed = ((now - this.last) / 1000) * this.speed;
    this.last = now;
    this.time += Math.max(elapsed, 0);
    const { audio } = this;
    const heard = audio && !audio.paused && !audio.ended && !audio.seeking;
    // The sound's own clock has coarse steps: it corrects, but does not drive.
    if (heard && Math.abs(audio.currentTime - this.time) > 0.06) this.time = audio.currentTime;
    if (this.time < this.seconds) return;
    this.time = this.seconds;
    this.pause();
  }
}

class Player {
  constructor(data, head) {
    this.data = data;
    this.last = data.frames - 1;
    const audio = data.sound ? new Audio(data.sound) : null;
    this.clock = new Clock(audio, data.frames / data.fps);
    this.seats = [...document.querySelectorAll(".seat")].map((seat) => {
      const view = this.#view(seat, head);
      return { seat, view, person: null };
    });
    this.traces = [...document.querySelectorAll(".trace")].map(
      (figure, i) => new Trace(figure, data, data.traces[i], (time) => this.seek(time * data.fps)),
    );
    this.#listen();
    this.#hearKeys();
    data.seats.forEach((person, side) => this.choose(side, person));
  }

  #view(seat, head) {
    try {
      return new View(find("canvas", seat), head, this.data.camera, this.data.light);
    } catch {
      seat.classList.add("blind");
      return null;
    }
  }

  get frame() {
    return Math.min(Math.floor(this.clock.time * this.data.fps + 1e-3), this.last);
  }

  // Shows a frame, counted from 0.
  seek(frame) {
    this.clock.seek(Math.min(Math.max(Math.floor(frame + 1e-3), 0), this.last) / this.data.fps);
    this.show();
  }

  // Puts a person (its index in the data) on a seat: 0 left, 1 right.
  choose(side, index) {
    const { seat } = this.seats[side];
    this.seats[side].person = this.data.people[index];
    const select = find("select", seat);
    const radio = find(`.chips input[value="${index}"]`);
    if (select) select.value = index;
    if (side === this.seats.length - 1 && radio) radio.checked = true;
    const name = find("b", seat);
    if (name) name.textContent = this.data.people[index].name;
    find("canvas", seat).setAttribute("aria-label", `Face of ${this.data.people[index].name}`);
    const shown = this.seats.map(({ person }) => person);
    for (const trace of this.traces) trace.draw(shown);
    this.show();
  }

  // Shows whom a chip stands for: on the right, or of several systems each one's sample of that number.
  pick(index) {
    const chosen = this.data.people[index];
    if (this.data.systems.length === 1) {
      this.choose(this.seats.length - 1, index);
      return;
    }
    const number = this.#samples(chosen.system).indexOf(chosen);
    this.seats.forEach(({ seat, person }, side) => {
      if (find("select", seat) || person.kind !== "sample") return;
      const sample = this.#samples(person.system)[number]; // of which some have fewer
      if (sample) this.choose(side, this.data.people.indexOf(sample));
    });
    find(`.chips input[value="${index}"]`).checked = true;
  }

  #samples(system) {
    return this.data.people.filter((person) => person.system === system);
  }

  // Draws heads, traces and time as of the clock.
  show() {
    const { frame } = this;
    for (const { view, person } of this.seats) {
      if (!view || !person) continue;
      view.pose(this.#coeffs(person, frame));
      view.draw();
    }
    for (const trace of this.traces)
      trace.at(this.clock.playing ? this.clock.time : frame / this.data.fps);
    find("#timeline").value = frame;
    find("#timeline").style.setProperty("--done", `${(100 * frame) / Math.max(this.last, 1)}%`);
    find("#time").textContent = (frame / this.data.fps).toFixed(2);
    find("#frame").textContent = frame;
    find("#play").setAttribute("aria-label", this.clock.playing ? "Pause" : "Play");
    find("#play").classList.toggle("playing", this.clock.playing);
  }

  // Coefficients of a person at a frame; slow motion goes between the frames.
  #coeffs(person, frame) {
    const now = person.coeffs.subarray(58 * frame, 58 * frame + 58);
    if (!this.clock.playing || this.clock.speed >= 1 || frame === this.last) return now;
    const share = this.clock.time * this.data.fps - frame;
    const next = person.coeffs.subarray(58 * frame + 58, 58 * frame + 116);
    return now.map((value, i) => value + share * (next[i] - value));
  }

  toggle() {
    if (this.clock.playing) this.clock.pause();
    else this.clock.play();
    this.show();
    if (this.clock.playing) requestAnimationFrame((now) => this.#tick(now));
  }

  #tick(now) {
    if (!this.clock.playing) return;
    const before = this.frame;
    this.clock.advance(now);
    const { frame, clock } = this;
    if (frame !== before || clock.speed < 1 || !clock.playing) this.show();
    else for (const trace of this.traces) trace.at(clock.time);
    if (clock.playing) requestAnimationFrame((next) => this.#tick(next));
  }

  turn(degrees) {
    find("#turn").value = degrees;
    for (const { view } of this.seats) {
      view?.turn(Number(find("#turn").value));
      view?.draw();
    }
  }

  speed(change) {
    const select = find("#speed");
    const index = Math.min(Math.max(select.selectedIndex + change, 0), select.length - 1);
    select.selectedIndex = index;
    this.clock.set(Number(select.value));
  }

  mute() {
    const { audio } = this.clock;
    if (!audio) return;
    audio.muted = !audio.muted;
    find("#mute").classList.toggle("muted", audio.muted);
    find("#mute").setAttribute("aria-pressed", audio.muted);
  }

  // The face on the last seat as a csv of Live Link Face.
  liveLink() {
    const { fps, frames, names, liveLink: columns } = this.data;
    const { coeffs } = this.seats.at(-1).person;
    const numbers = Array.from({ length: frames }, (_, i) => i);
    const rows = numbers.map((i) => coeffs.subarray(58 * i, 58 * i + 58));
    return liveLinkCsv({ names, columns, times: numbers.map((i) => i / fps), rows });
  }

  save() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([this.liveLink()], { type: "text/csv" }));
    link.download = `${this.seats.at(-1).person.name.replace(/[^\w.-]+/g, "_")}.arkit.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  #listen() {
    find("#arkit").addEventListener("click", () => this.save());
    find("#play").addEventListener("click", () => this.toggle());
    find("#mute")?.addEventListener("click", () => this.mute());
    find("#speed").addEventListener("change", () => this.speed(0));
    find("#timeline").addEventListener("input", (event) => this.seek(Number(event.target.value)));
    find("#turn").addEventListener("input", (event) => this.turn(event.target.value));
    find(".chips")?.addEventListener("change", (event) => {
      this.pick(event.target.value);
    });
    this.seats.forEach(({ seat }, side) => {
      find("select", seat)?.addEventListener("change", (e) => this.choose(side, e.target.value));
      const canvas = find("canvas", seat);
      let last = 0;
      canvas.addEventListener("pointerdown", (event) => {
        canvas.setPointerCapture(event.pointerId);
        last = event.clientX;
      });
      canvas.addEventListener("pointermove", (event) => {
        if (!event.buttons) return;
        this.turn(Number(find("#turn").value) - 0.5 * (event.clientX - last));
        last = event.clientX;
      });
      canvas.addEventListener("dblclick", () => this.turn(0));
      new ResizeObserver(() => this.seats[side].view?.draw()).observe(canvas);
    });
  }

  #hearKeys() {
    const step = (frames) => () => this.seek(this.frame + frames);
    const { fps } = this.data;
    const keys = {
      " ": () => this.toggle(),
      ArrowLeft: step(-1),
      ArrowRight: step(1),
      "Shift+ArrowLeft": step(-fps),
      "Shift+ArrowRight": step(fps),
      Home: () => this.seek(0),
      End: () => this.seek(this.last),
      "-": () => this.speed(-1),
      "+": () => this.speed(1),
      m: () => this.mute(),
    };
    // The chips in their order: samples, and of one system the recorded listener at the end.
    const chips = [...document.querySelectorAll(".chips input")];
    const listener = find(".chips .listener input");
    if (listener) keys.r = () => this.pick(listener.value);
    for (let n = 1; n <= Math.min(10, chips.length); n++) {
      if (chips[n - 1] !== listener) keys[n % 10] = () => this.pick(chips[n - 1].value);
    }
    document.addEventListener("keydown", (event) => {
      const { target, key, shiftKey, ctrlKey, altKey, metaKey } = event;
      const arrow = key.startsWith("Arrow") || key === "Home" || key === "End";
      if (ctrlKey || altKey || metaKey || target.matches("select")) return;
      if (target.matches("button, summary") && (key === " " || key === "Enter")) return;
      if (target.matches("input:not(#timeline)") && arrow) return;
      const action = keys[shiftKey && arrow ? `Shift+${key}` : key];
      if (!action) return;
      event.preventDefault();
      action();
    });
  }
}

async function begin() {
  const data = JSON.parse(find("#data").textContent);
  const head = await Head.unpack(data.head);
  for (const person of data.people) {
    for (const name of ["coeffs", "angles", "emotion"]) {
      person[name] = person[name] && (await unpackSequence(person[name]));
    }
  }
  window.player = new Player(data, head); // for the browser's console
  document.body.classList.add("ready");
}

begin().catch((error) => {
  find("#trouble").textContent = `This page needs a newer browser (${error.message}).`;
  throw error;
});
