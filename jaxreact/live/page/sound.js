// What a source sounds like, as blocks of 40 ms at 16 kHz on the page's clock.

import { SoundClock } from "./clock.js";

export const RATE = 16000;
const AUDIBLE = 1e-4; // peak; the quietest room is above it, a dead microphone is not

export class Ear {
  // `hear(time, samples)` gets each block.
  static async open(context, clock, hear) {
    await context.audioWorklet.addModule(new URL("sound_worklet.js", import.meta.url));
    return new Ear(context, clock, hear);
  }

  constructor(context, clock, hear) {
    const options = { numberOfInputs: 1, numberOfOutputs: 1, outputChannelCount: [1] };
    this.node = new AudioWorkletNode(context, "ear", options);
    this.node.connect(context.destination); // its output is silent, but keeps it running
    this.audible = null; // page time at which something was heard last
    this.node.port.onmessage = ({ data: { time, samples } }) => {
      const at = clock.at(time);
      this.audible ??= at;
      if (samples.some((value) => Math.abs(value) > AUDIBLE)) this.audible = at;
      hear(at, samples);
    };
  }

  close() {
    this.node.port.onmessage = null;
    this.node.disconnect();
  }
}

// A context for a microphone: at 16 kHz where the browser can connect one at that rate, so that
// its own resampler is used; the worklet resamples else.
export function microphoneContext(stream) {
  let context = new AudioContext({ sampleRate: RATE, latencyHint: "interactive" });
  try {
    return { context, node: context.createMediaStreamSource(stream) };
  } catch {
    context.close();
    context = new AudioContext({ latencyHint: "interactive" });
    return { context, node: context.createMediaStreamSource(stream) };
  }
}

export const microphoneClock = (context, late) => new SoundClock(context, { heard: false, late });
export const speakerClock = (context) => new SoundClock(context, { heard: true });
