// A conversation that the server has as data: coefficients and sound.

import { Ear, RATE, speakerClock } from "./sound.js";
import { Trouble, opened } from "./source.js";
import { COEFFS } from "./wire.js";

const FPS = 25;

// Sound as bytes: a page's policy lets no script fetch a data address.
async function bytesOf(address) {
  if (!address.startsWith("data:")) return (await fetch(address)).arrayBuffer();
  return Uint8Array.from(atob(address.split(",")[1]), (letter) => letter.charCodeAt(0)).buffer;
}

export class SampleSource {
  static async open(on, address) {
    const answer = await fetch(address);
    if (!answer.ok) throw new Trouble("The server did not give the sample conversation.");
    return opened(new SampleSource(await answer.json()), on);
  }

  constructor(sample) {
    this.sample = sample;
    this.element = null;
    this.sent = 0; // rows
  }

  async begin(on) {
    const { coeffs, sound } = this.sample;
    this.rows = await unpackSequence(coeffs);
    this.frames = this.rows.length / COEFFS;
    this.context = new AudioContext({ latencyHint: "interactive" });
    await this.context.resume();
    this.clock = speakerClock(this.context);
    this.volume = this.context.createGain();
    this.volume.connect(this.context.destination);
    this.ear = await Ear.open(this.context, this.clock, (time, samples) => {
      on.hear(time, samples);
      // With the sound, not by a timer, which would sleep in a tab in the background.
      this.#tell(on, time + samples.length / RATE);
    });
    // A silent one where there is none: its end is the end all the same.
    this.tap = this.context.createBufferSource();
    this.tap.buffer = sound
      ? await this.context.decodeAudioData(await bytesOf(sound))
      : this.context.createBuffer(1, Math.round((RATE * this.frames) / FPS), RATE);
    this.tap.connect(this.volume);
    this.tap.connect(this.ear.node);
    this.tap.onended = () => on.ended("");
    this.first = this.context.currentTime + 0.1;
    this.tap.start(this.first);
  }

  // Sends the rows up to a moment.
  #tell(on, until) {
    if (this.first === undefined) return;
    const first = this.sent;
    const begin = this.clock.at(this.first);
    const due = Math.floor((until - begin) * FPS) + 1;
    this.sent = Math.min(Math.max(due, first), this.frames);
    if (this.sent === first) return;
    const times = Array.from({ length: this.sent - first }, (_, i) => begin + (first + i) / FPS);
    on.faces(times, this.rows.slice(COEFFS * first, COEFFS * this.sent));
  }

  // The speaker's coefficients at a moment of the page's clock.
  coeffsAt(time) {
    const begin = this.first === undefined ? time : this.clock.at(this.first);
    const place = Math.min(Math.max((time - begin) * FPS, 0), this.frames - 1);
    const frame = Math.min(Math.floor(place), this.frames - 2);
    const row = (n) => this.rows.subarray(COEFFS * n, COEFFS * (n + 1));
    const next = row(frame + 1);
    return row(frame).map((value, i) => value + (place - frame) * (next[i] - value));
  }

  mute(muted) {
    if (this.volume) this.volume.gain.value = muted ? 0 : 1;
  }

  close() {
    if (this.tap) this.tap.onended = null;
    this.ear?.close();
    this.context?.close();
  }
}
