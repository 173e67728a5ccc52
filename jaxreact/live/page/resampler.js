// Sound at one rate -> the same at another, through a windowed sinc.

const ZEROS = 16; // crossings of the sinc on each side
const PASSES = 0.92; // share of the band that passes; the rest is the filter's slope
const FINE = 256; // entries of the table between two crossings

export class Resampler {
  // `step` input samples make one output sample; `half` reach to each side of it.
  constructor(from, to) {
    this.step = from / to;
    this.stretch = Math.max(this.step, 1); // a lower rate narrows the band
    this.half = Math.ceil(ZEROS * this.stretch);
    this.table = Float32Array.from({ length: ZEROS * FINE + 2 }, (_, i) => {
      const x = i / FINE;
      const window = x < ZEROS ? 0.5 + 0.5 * Math.cos((Math.PI * x) / ZEROS) : 0;
      const y = Math.PI * PASSES * x;
      return window * PASSES * (i ? Math.sin(y) / y : 1);
    });
    this.kept = new Float32Array(this.half); // silence before the beginning
    this.at = this.half; // place of the next output sample in what is kept
  }

  // The samples that `input` completes.
  push(input) {
    const all = new Float32Array(this.kept.length + input.length);
    all.set(this.kept);
    all.set(input, this.kept.length);
    const output = [];
    for (; this.at + this.half < all.length; this.at += this.step) output.push(this.#sample(all));
    const gone = Math.max(0, Math.floor(this.at) - this.half);
    this.kept = all.slice(gone);
    this.at -= gone;
    return output;
  }

  #sample(all) {
    const { at, half, stretch, table } = this;
    const last = Math.min(all.length - 1, Math.floor(at) + half);
    let sum = 0;
    for (let i = Math.max(0, Math.ceil(at) - half); i <= last; i++) {
      const place = (Math.abs(i - at) / stretch) * FINE;
      const entry = Math.min(Math.floor(place), table.length - 2);
      const share = place - entry;
      sum += all[i] * (table[entry] + (share < 1 ? share : 0) * (table[entry + 1] - table[entry]));
    }
    return sum / stretch;
  }
}
