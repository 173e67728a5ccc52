// The page: a speaker on the left, the listener who reacts on the right, and the stream between.

import { Rate } from "./account.js";
import { CameraSource } from "./camera.js";
import { now } from "./clock.js";
import { Controls } from "./controls.js";
import { Eyes, INSTALL } from "./eyes.js";
import { clearFigures, showFigures } from "./figures.js";
import { FileSource } from "./film.js";
import { Listener } from "./listener.js";
import { MEASURES, Measures } from "./measures.js";
import { Notices } from "./notices.js";
import { Recorder } from "./recorder.js";
import { SampleSource } from "./sample.js";
import { faceWords, soundWords } from "./senses.js";
import { Refused, address, load, socketAddress } from "./server.js";
import { Trouble } from "./source.js";
import { Stage } from "./stage.js";
import { Stream } from "./stream.js";
import { Table, download } from "./table.js";
import { Trace } from "./traces.js";
import {
  COEFFS,
  WIDTH,
  facesMessage,
  pictureMessage,
  soundMessage,
  trackedMessage,
} from "./wire.js";

const find = (query) => document.querySelector(query);
const STILL = matchMedia("(prefers-reduced-motion: reduce)");
const TRACES_APART = { moving: 0.04, still: 0.25 }; // s between two drawings
const RETRY = 2000; // ms
const GOING = {
  camera: "The listener reacts to you.",
  file: "The listener reacts to the video.",
  sample: "The listener reacts to the conversation.",
};
const OVER = { file: "The video is over.", sample: "The conversation is over." };

class Live {
  constructor(info, stage) {
    Object.assign(this, { info, stage });
    this.notices = new Notices(find("#notices"));
    this.eyes = new Eyes(info, this.notices);
    this.listener = new Listener(info.expressions);
    this.measures = new Measures(info);
    this.table = new Table(info);
    this.traces = Object.fromEntries(
      Object.entries(MEASURES).map(([name, { range }]) => [
        name,
        new Trace(find(`[data-trace="${name}"]`), range),
      ]),
    );
    this.tracked = new Rate();
    this.stream = new Stream((choices) => socketAddress("v1/stream", choices), {
      hello: (hello) => this.#greet(hello),
      reactions: (time, rows) => this.#react(time, rows),
      status: (status) => (this.status = status),
      state: (state) => this.#follow(state),
    });
    this.source = null; // while something plays
    this.starting = false; // while it is waited for
    this.run = 0; // number of the start, by which late answers to an earlier one are known
    this.muted = false;
    this.ending = "Ready."; // what the state is while nothing plays
    this.controls = new Controls(info, {
      start: () => (this.source || this.starting ? this.stop() : this.start()),
      mute: () => this.mute(),
      record: () => this.record(),
      data: () => download(csv(this.table.text()), fileName("csv")),
      arkit: () => download(csv(this.table.liveLink()), fileName("arkit.csv")),
      source: () => this.#change(),
      choices: () => this.source && this.stream.open(this.controls.choices),
      strength: (name, value) => (this.listener.strength[name] = value),
    });
    if (!info.vision && !info.tracks) this.notices.say("tracker", INSTALL);
    this.#colors();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#colors());
    document.addEventListener("click", () => this.source?.context.resume());
    this.#show(this.ending, "idle");
    this.drawn = this.traced = now();
    requestAnimationFrame(() => this.#tick());
    setInterval(() => this.#watch(), 500);
  }

  async start() {
    const { kind, file } = this.controls;
    if (kind === "file" && !file) {
      this.controls.askForFile();
      return;
    }
    const run = ++this.run;
    this.#clear();
    this.starting = true;
    this.controls.show("starting");
    this.#show(kind === "camera" ? "Waiting for the camera …" : "Opening …", "connecting");
    if (kind !== "sample") this.eyes.load(); // while the person is still asked
    try {
      if (kind === "file" && this.eyes.loading && !this.eyes.tracker) {
        // A film does not wait, as a person does, until there is somebody to look.
        this.#show("Loading the face tracker …", "connecting");
        await this.eyes.loading;
        if (run !== this.run) return;
      }
      const source = await this.#open(kind, file, run);
      if (run === this.run) this.#begin(source, kind, run);
      else source.close();
    } catch (error) {
      if (run !== this.run) return;
      const words =
        error instanceof Trouble ? error.message : `It cannot be played (${error.message}).`;
      this.notices.say("source", words);
      this.#halt("Stopped.");
    }
  }

  // Forgets what was before.
  #clear() {
    this.notices.say("source", "");
    this.listener.clear();
    this.table.clear();
    this.controls.showData(false);
    for (const trace of Object.values(this.traces)) trace.clear();
    this.status = this.seen = this.latency = null;
    this.stream.dropped = { pictures: 0, sounds: 0 };
  }

  #open(kind, file, run) {
    // Sound and pictures of a source that was stopped meanwhile go nowhere.
    const mine =
      (take) =>
      (...values) =>
        run === this.run && take(...values);
    const on = {
      hear: mine((time, samples) => this.stream.send(soundMessage(time, samples), "sound")),
      see: mine((video, time) => this.eyes.see(video, time)),
      faces: mine((times, rows) => this.#faces(times, rows)),
      ended: mine((words) => {
        this.notices.say("source", words);
        this.stop(words ? "Stopped." : OVER[kind]);
      }),
    };
    if (kind === "camera") return CameraSource.open(on);
    if (kind === "file") return FileSource.open(on, file);
    return SampleSource.open(on, address(this.info.sample));
  }

  #begin(source, kind, run) {
    Object.assign(this, { source, kind, starting: false });
    source.mute(this.muted);
    this.stage.seat(source);
    this.#showControls();
    this.stream.open(this.controls.choices);
    if (kind === "sample") return;
    this.eyes.begin(
      (time, row) => run === this.run && this.#found(time, row),
      (time, jpeg) => {
        if (run !== this.run) return;
        if (this.stream.send(pictureMessage(time, jpeg), "picture")) this.tracked.count();
      },
    );
  }

  #showControls() {
    const records = Boolean(Recorder.type && this.stage.listener);
    this.controls.show("playing", { records, muted: this.muted });
  }

  // Another source is wanted.
  #change() {
    this.notices.say("source", "");
    if (this.source || this.starting) this.stop();
  }

  // Ends what plays; reactions that are on their way still come.
  stop(words = "Stopped.") {
    this.#halt(words);
    this.stream.end();
  }

  #halt(words) {
    this.run += 1;
    this.starting = false;
    if (this.recorder) this.record();
    this.eyes.end();
    this.source?.close();
    this.source = null;
    this.stage.seat(null);
    this.controls.show("idle");
    clearFigures();
    for (const subject of ["face", "sound", "stream"]) this.notices.say(subject, "");
    this.ending = words;
    this.#show(words, "idle");
  }

  // A picture was tracked.
  #found(time, row) {
    this.tracked.count();
    this.seen ??= now(); // the first picture
    if (!row) return;
    this.seen = now();
    this.stream.send(trackedMessage(time, row), "picture");
    this.#trace("speaker", time, row);
  }

  // Faces of a conversation that comes as data.
  #faces(times, rows) {
    this.stream.send(facesMessage(times, rows), "picture");
    times.forEach((time, i) => {
      this.tracked.count();
      this.#trace("speaker", time, rows.subarray(COEFFS * i, COEFFS * (i + 1)));
    });
  }

  #greet(hello) {
    this.hello = hello;
    this.listener.clear(); // of the reactions of another stream
  }

  #react(time, rows) {
    const count = rows.length / WIDTH;
    const fresh = this.listener.take(time, rows, now());
    this.table.add(time, rows);
    this.controls.showData(this.table.length > 0);
    for (let i = count - fresh; i < count; i++) {
      this.#trace("sample", time + 0.04 * i, rows.subarray(WIDTH * i, WIDTH * (i + 1)));
    }
  }

  #trace(who, time, row) {
    for (const [name, value] of this.measures.of(row)) this.traces[name].add(who, time, value);
  }

  // The stream's state in words.
  #follow({ name, words }) {
    if (name === "open") {
      this.notices.say("stream", "");
      this.#show(GOING[this.kind], "open");
    } else if (name === "connecting") {
      this.notices.say("stream", "");
      this.#show(words, name);
    } else if (name === "waiting") {
      this.#show("Not connected.", name);
      this.notices.say("stream", words);
    } else if (this.source) {
      this.#halt("Stopped."); // the server has ended it
      this.notices.say("stream", words);
    } else if (!this.starting) {
      this.#show(this.ending, "idle");
    }
  }

  #show(words, state) {
    find("#state").dataset.state = state;
    find("#state-words").textContent = words;
  }

  mute() {
    this.muted = !this.muted;
    this.source?.mute(this.muted);
    this.#showControls();
  }

  // Begins a film of both faces, or ends it and gives it to the person.
  async record() {
    const { recorder } = this;
    this.controls.showRecording(!recorder);
    this.recorder = recorder ? null : new Recorder(this.source);
    if (recorder) download(await recorder.stop(), fileName("webm"));
  }

  // The page's colours, for the canvases of the traces.
  #colors() {
    const of = (element, name) => getComputedStyle(element).getPropertyValue(name).trim();
    this.colors = {
      quiet: of(document.body, "--quiet"),
      rule: of(document.body, "--rule"),
      font: getComputedStyle(document.body).fontFamily,
      speaker: of(find(".key.speaker"), "--line"),
      sample: of(find(".key.sample"), "--line"),
    };
  }

  // Draws both faces and, less often, the traces.
  #tick() {
    requestAnimationFrame(() => this.#tick());
    const time = now();
    const elapsed = Math.min(time - this.drawn, 1);
    this.drawn = time;
    this.stage.draw(time, this.listener.advance(time, elapsed, STILL.matches));
    if (this.source) this.recorder?.draw(...this.stage.pictures);
    const latency = this.listener.latency(time);
    if (latency !== null) this.latency = latency + 0.95 * ((this.latency ?? latency) - latency);
    const apart = TRACES_APART[STILL.matches ? "still" : "moving"];
    if (this.source && time - this.traced >= apart) this.#drawTraces(time);
  }

  // Up to a moment, or once more as they were.
  #drawTraces(time = this.traced) {
    this.traced = time;
    for (const trace of Object.values(this.traces)) trace.draw(time, this.colors);
  }

  // Twice a second: figures, and what the person should know.
  #watch() {
    const { source, eyes, stream, listener, stage, hello, info, muted, status } = this;
    if (!source) {
      this.#drawTraces(); // the window may have another size or other colours
      return;
    }
    stage.relieve();
    const time = now();
    showFigures({
      latency: listener.latency(time) === null ? null : this.latency,
      status,
      step: hello?.step ?? info.step,
      tracked: this.tracked.perSecond,
      drawn: stage.drawn.perSecond,
      counts: { ...stream.dropped, skipped: listener.skipped },
    });
    const trouble = source.element && eyes.tracker?.trouble;
    this.notices.say("face", faceWords({ now: time, seen: this.seen, trouble }));
    this.notices.say("sound", soundWords({ now: time, source, muted }));
  }
}

const csv = (text) => new Blob([text], { type: "text/csv" });

function fileName(ending) {
  const time = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
  return `reaction ${time}.${ending}`;
}

async function begin() {
  const [info, packed] = await Promise.all([load("v1/info"), load("head.json")]);
  const head = await Head.unpack(packed.head);
  window.live = new Live(info, new Stage(head, packed)); // for the browser's console
  document.body.classList.add("ready");
}

// The server may still be starting.
async function beginWithPatience() {
  try {
    await begin();
  } catch (error) {
    const unreached =
      error instanceof TypeError && /fetch|network|load failed/i.test(error.message);
    let words = `This page cannot begin (${error.message}).`;
    if (unreached) words = "The server does not answer; trying again …";
    if (error instanceof Refused) {
      words =
        `The server does not let this page in: ${error.message}. If it wants a token, open this` +
        " page with ?token=… at the end of its address.";
    }
    find("#state").dataset.state = "waiting";
    find("#state-words").textContent = words;
    if (unreached) setTimeout(beginWithPatience, RETRY);
    else if (!(error instanceof Refused)) throw error;
  }
}

beginWithPatience();
