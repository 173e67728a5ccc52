// One clock for sound, pictures and reactions: seconds since the page was opened.

export const now = () => performance.now() / 1000;

const FARTHEST = 1; // s that an audio device's own account may be off before it is not believed
const JUMP = 0.1; // s: more was a pause of the device, less is drift and jitter
const SLEW = 0.01; // share of an error that one measurement corrects

// Where the time of an AudioContext lies on the page's clock.
export class SoundClock {
  // `heard`: sound that is played counts when it is heard, with the picture that belongs to it.
  // Sound of a microphone counts when it was said: `late` seconds before it arrives here.
  constructor(context, { heard, late = 0 }) {
    Object.assign(this, { context, heard, late, offset: null });
  }

  // Page time of a moment of the context.
  at(contextTime) {
    const measured = this.#measure();
    const error = this.offset === null ? Infinity : measured - this.offset;
    // Corrected little by little: a step would tear a hole into the sound.
    this.offset = Math.abs(error) > JUMP ? measured : this.offset + SLEW * error;
    return contextTime + this.offset;
  }

  #measure() {
    const { context } = this;
    const rendered = now() - context.currentTime;
    const stamp = context.getOutputTimestamp?.();
    const played = stamp?.performanceTime
      ? stamp.performanceTime / 1000 - stamp.contextTime
      : rendered;
    const believed = Math.abs(played - rendered) < FARTHEST ? played : rendered;
    const latency = context.outputLatency || context.baseLatency || 0;
    return this.heard ? believed : believed - latency - this.late;
  }
}
