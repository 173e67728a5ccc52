// What a person can choose and press, and what of it the page shows.

const find = (query) => document.querySelector(query);
const CHOICES = ["seed", "temperature", "step", "smoothing"];
const SMOOTHINGS = [0, 1, 2, 3, 4, 6, 8, 12];

export const framesOf = (count) => (count === 1 ? "1 frame" : `${count} frames`);

export class Controls {
  // `on` has start, mute, record, data, arkit, source (another one is wanted), choices (they have
  // changed) and strength(name, value).
  constructor(info, on) {
    Object.assign(this, { info, on, file: null });
    this.#offer();
    this.#listen();
    this.#intend();
  }

  // "camera", "file" or "sample".
  get kind() {
    return find('[name="source"]:checked').value;
  }

  // For the stream's address; what is no number that can be is left out.
  get choices() {
    const given = CHOICES.map((name) => [name, find(`#${name}`)]);
    return Object.fromEntries(
      given
        .filter(([, { value, validity }]) => value !== "" && validity.valid)
        .map(([name, { value }]) => [name, value]),
    );
  }

  askForFile() {
    find("#file").click();
  }

  // "idle", "starting" or "playing".
  show(name, { records = false, muted = false } = {}) {
    document.body.classList.toggle("running", name !== "idle");
    find("#start span").textContent = name === "idle" ? "Start" : "Stop";
    find("#mute").disabled = name !== "playing";
    find("#record").disabled = name !== "playing" || !records;
    find("#mute").setAttribute("aria-pressed", muted);
    find("#mute span").textContent = muted ? "Muted" : "Mute";
  }

  showRecording(recording) {
    document.body.classList.toggle("recording", recording);
    find("#record").setAttribute("aria-pressed", recording);
    find("#record span").textContent = recording ? "Recording" : "Record";
  }

  showData(available) {
    for (const name of ["#data", "#arkit"]) find(name).disabled = !available;
  }

  // What the server has to offer.
  #offer() {
    const { system, temperature, steps, step: own, fps, sample, vision, tracks } = this.info;
    find("#system").textContent = `System: ${system}`;
    find("#temperature").closest("label").hidden = temperature === false;
    const ms = (frames) => Math.round((1000 * frames) / fps);
    for (const step of steps) {
      const words = `${framesOf(step)} (${ms(step)} ms)`;
      find("#step").add(new Option(words, step, step === own, step === own));
    }
    for (const frames of SMOOTHINGS) {
      const words = frames ? `${framesOf(frames)}, ${ms(frames)} ms later` : "none";
      find("#smoothing").add(new Option(words, frames));
    }
    find('[value="sample"]').disabled = !sample;
    if (!vision && !tracks && sample) find('[value="sample"]').checked = true;
    find("#start").disabled = false;
  }

  // Says what Start will do, where the speaker will be.
  #intend() {
    const { vision, tracks } = this.info;
    const seen =
      vision || !tracks ? "your face as numbers, not as pictures" : "small pictures of you";
    find("#intent").textContent = {
      camera: `Start uses your camera and microphone. The server gets your voice and ${seen}.`,
      file: this.file
        ? `Start plays ${this.file.name}.`
        : "Choose a video of one person who talks.",
      sample: "Start plays a conversation that the server brings along.",
    }[this.kind];
  }

  #choose(file) {
    if (!file) return;
    this.file = file;
    find('[value="file"]').checked = true;
    this.on.source();
    this.#intend();
  }

  #listen() {
    const { on } = this;
    for (const name of ["start", "mute", "record", "data", "arkit"]) {
      find(`#${name}`).addEventListener("click", () => on[name]());
    }
    for (const radio of document.querySelectorAll('[name="source"]')) {
      radio.addEventListener("change", () => {
        on.source();
        this.#intend();
      });
    }
    // Another file can be chosen by a click on what is chosen; arrow keys give clicks without detail.
    find('[value="file"]').addEventListener("click", ({ detail }) => {
      if (detail && !document.body.classList.contains("running")) this.askForFile();
    });
    find("#file").addEventListener("change", ({ target }) => this.#choose(target.files[0]));
    find(".stage").addEventListener("dragover", (event) => event.preventDefault());
    find(".stage").addEventListener("drop", (event) => {
      event.preventDefault();
      this.#choose(event.dataTransfer.files[0]);
    });
    find("#choices").addEventListener("submit", (event) => event.preventDefault());
    find("#choices").addEventListener("change", () => on.choices());
    find("#another").addEventListener("click", () => {
      find("#seed").value = (Number(find("#seed").value) || 0) + 1;
      on.choices();
    });
    for (const slider of document.querySelectorAll("#strengths input")) {
      const follow = () => {
        slider.style.setProperty("--done", `${50 * slider.value}%`);
        slider.nextElementSibling.value = Number(slider.value).toFixed(2);
        on.strength(slider.id, Number(slider.value));
      };
      slider.addEventListener("input", follow);
      follow(); // browsers keep what was set before a reload
    }
  }
}
