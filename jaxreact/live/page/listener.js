// The listener's face: reactions wait here until their moment, and are strengthened or weakened as
// wanted. Without reactions it comes to rest.

import { COEFFS, EMOTIONS, WIDTH } from "./wire.js";

const FRAME = 0.04; // s between reactions
const KEPT = 250; // reactions that wait at most: ten seconds
const SPARE = 0.01; // s that reactions wait longer than the latest of them needed
const MEMORY = 5; // s that a late reaction is remembered
const MOST_DELAY = 2; // s
const JUMP = 0.25; // s of delay that are added at once: at the beginning, or after a breakdown
const HELD = 0.3; // s that the last reaction is held before the face comes to rest
const TO_REST = 0.7; // s, time constants
const BACK = 0.25;
const SWAY = 0.006; // rad
const BLINK = 0.22; // s

const ROTATION = 52;
const REST = new Float32Array(COEFFS);
REST[ROTATION] = Math.PI;
REST[COEFFS - 1] = 1.84;

const SMILES = /^(mouthSmile|mouthFrown|mouthDimple|cheek)/;
const GAZE = /^eyeLook/;

const wrapped = (angle) => angle - 2 * Math.PI * Math.round(angle / (2 * Math.PI));

// Waits for no longer than the latest reaction of the last seconds needed.
class Delay {
  constructor() {
    this.late = []; // {at, late}
    this.value = 0;
  }

  // A reaction that speaks of `time` has come at `at`; one before it must have come, and one after.
  note(time, at) {
    this.late.push({ at, late: at - time + FRAME + SPARE });
    while (this.late[0].at < at - MEMORY) this.late.shift();
  }

  // Goes slowly towards what is needed: quickly up, where frames would be missed.
  advance(elapsed) {
    const needed = Math.max(0, ...this.late.map(({ late }) => late));
    const change = Math.min(needed, MOST_DELAY) - this.value;
    const most = change > JUMP ? change : elapsed * (change > 0 ? 0.5 : 0.05);
    this.value += Math.min(Math.max(change, -most), most);
  }
}

export class Listener {
  // `expressions` are the names of the 52 units.
  constructor(expressions) {
    this.smiles = expressions.flatMap((name, i) => (SMILES.test(name) ? [i] : []));
    this.gaze = expressions.flatMap((name, i) => (GAZE.test(name) ? [i] : []));
    this.blinks = expressions.flatMap((name, i) => (/^eyeBlink/.test(name) ? [i] : []));
    this.strength = { nods: 1, smiles: 1, gaze: 1, idle: 1 };
    this.face = REST.slice(); // without idle motion
    this.coeffs = REST.slice(); // as shown
    this.emotion = new Float32Array(EMOTIONS);
    this.share = 0; // of the reaction in what is shown; the rest is rest
    this.blink = 2; // s until the next one begins
    this.clear();
  }

  // Forgets what waits: a new stream begins.
  clear() {
    this.rows = []; // {time, row}
    this.delay = new Delay();
    this.shown = null; // the moment that what is shown speaks of
    this.skipped = 0;
  }

  // Takes reactions 40 ms apart that have come at `at`. Says how many are new.
  take(time, rows, at) {
    this.delay.note(time, at);
    const count = rows.length / WIDTH;
    let fresh = 0;
    for (let i = 0; i < count; i++) {
      const moment = time + i * FRAME;
      const last = this.rows.at(-1);
      if (last && moment <= last.time + FRAME / 2) continue;
      this.rows.push({ time: moment, row: rows.subarray(WIDTH * i, WIDTH * (i + 1)) });
      fresh += 1;
    }
    while (this.rows.length > KEPT) {
      this.rows.shift();
      this.skipped += 1;
    }
    return fresh;
  }

  // The face at a moment, `elapsed` seconds after the one before.
  advance(now, elapsed, still) {
    this.delay.advance(elapsed);
    const target = now - this.delay.value;
    const { rows } = this;
    while (rows.length > 1 && rows[1].time <= target) rows.shift();
    const [first, second] = rows;
    const due = first && first.time <= target;
    const fresh = due && target - first.time < HELD;
    this.shown = fresh ? Math.min(target, (second ?? first).time) : null;
    this.#settle(fresh, elapsed);
    if (due) this.#show(this.#between(first, second, target));
    else this.#rest(elapsed);
    this.coeffs.set(this.face);
    if (!still) this.#idle(now, elapsed);
    return this.coeffs;
  }

  // Seconds from the moment that what is shown speaks of.
  latency(now) {
    return this.shown === null ? null : now - this.shown;
  }

  #between(first, second, target) {
    if (!second || second.time - first.time > 2 * FRAME) return first.row;
    const share = Math.min((target - first.time) / (second.time - first.time), 1);
    const row = first.row.map((value, i) => value + share * (second.row[i] - value));
    const [a, b] = [first.row[ROTATION], second.row[ROTATION]];
    row[ROTATION] = a + share * wrapped(b - a); // pi and -pi are the same
    return row;
  }

  #settle(fresh, elapsed) {
    const constant = fresh ? BACK : TO_REST;
    this.share += ((fresh ? 1 : 0) - this.share) * (1 - Math.exp(-elapsed / constant));
  }

  // Blends a reaction, made stronger or weaker, with the face at rest.
  #show(row) {
    const { face, strength, share } = this;
    face.set(row.subarray(0, COEFFS));
    this.emotion = row.subarray(COEFFS);
    for (const i of this.smiles) face[i] = stronger(face[i], strength.smiles);
    for (const i of this.gaze) face[i] = stronger(face[i], strength.gaze);
    for (let i = 0; i < COEFFS; i++) {
      const isAngle = i >= ROTATION && i < ROTATION + 3;
      const away = isAngle ? strength.nods * wrapped(face[i] - REST[i]) : face[i] - REST[i];
      face[i] = REST[i] + share * away;
    }
  }

  // From wherever the face is.
  #rest(elapsed) {
    const share = 1 - Math.exp(-elapsed / TO_REST);
    for (let i = 0; i < COEFFS; i++) this.face[i] += share * (REST[i] - this.face[i]);
  }

  // A sway of half a degree, and blinks as long as no reaction has any.
  #idle(now, elapsed) {
    const { coeffs } = this;
    const { idle } = this.strength;
    const waves = [
      Math.sin(0.61 * now) + 0.5 * Math.sin(1.13 * now + 1),
      Math.sin(0.43 * now + 2) + 0.5 * Math.sin(0.97 * now),
      Math.sin(0.37 * now + 4),
    ];
    waves.forEach((wave, axis) => (coeffs[ROTATION + axis] += SWAY * idle * wave));
    this.blink -= elapsed;
    if (this.blink < -BLINK) this.blink = 2 + 3 * Math.random();
    if (!idle || this.blink > 0 || this.share > 0.5) return;
    const closed = Math.sin((Math.PI * -this.blink) / BLINK) * (1 - this.share);
    for (const i of this.blinks) coeffs[i] = Math.max(coeffs[i], closed);
  }
}

// A weight grows to 1 at most, unless it was made larger.
const stronger = (weight, strength) => Math.min(weight * strength, Math.max(weight, 1));
