// In the audio thread: what comes in, mixed to one channel at 16 kHz, goes out in blocks of 40 ms.

import { Resampler } from "./resampler.js";

const RATE = 16000;
const BLOCK = 640;

class Ear extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = sampleRate === RATE ? null : new Resampler(sampleRate, RATE);
    this.block = new Float32Array(BLOCK);
    this.filled = 0;
    this.sent = 0; // samples
    this.first = null; // context time of the very first sample
  }

  process([input], [output]) {
    this.first ??= currentTime;
    const quantum = output[0].length;
    const mono = new Float32Array(quantum); // silent as long as nothing is connected
    for (const channel of input) {
      for (let i = 0; i < quantum; i++) mono[i] += channel[i] / input.length;
    }
    for (const value of this.resampler ? this.resampler.push(mono) : mono) this.#take(value);
    return true;
  }

  #take(value) {
    this.block[this.filled++] = value;
    if (this.filled < BLOCK) return;
    // By the count of samples, which has no jitter.
    const time = this.first + this.sent / RATE;
    this.port.postMessage({ time, samples: this.block }, [this.block.buffer]);
    this.block = new Float32Array(BLOCK);
    this.filled = 0;
    this.sent += BLOCK;
  }
}

registerProcessor("ear", Ear);
