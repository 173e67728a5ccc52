// What of a face the traces show, of the speaker and of the listener.

import { pitchOf } from "./tracking.js";
import { COEFFS } from "./wire.js";

// Ends of the axes are those of the project's charts; they grow where a line leaves them.
export const MEASURES = {
  smile: { units: ["mouthSmileLeft", "mouthSmileRight"], range: [0, 0.6] },
  brows: { units: ["browInnerUp", "browOuterUpLeft", "browOuterUpRight"], range: [0, 0.4] },
  jaw: { units: ["jawOpen"], range: [0, 0.4] },
  nod: { pitch: true, range: [-10, 10] },
  valence: { emotion: "valence", range: [-0.5, 0.5] },
  arousal: { emotion: "arousal", range: [-0.5, 0.5] },
};

// Reads measures off rows: raw coefficients, those with emotion behind them, or MediaPipe's.
export class Measures {
  constructor({ expressions, emotions }) {
    this.columns = Object.entries(MEASURES).map(([name, { units, pitch, emotion }]) => ({
      name,
      pitch,
      units: units?.map((unit) => expressions.indexOf(unit)),
      column: emotion && COEFFS + emotions.indexOf(emotion),
    }));
    this.expressions = expressions.length;
  }

  // [name, value] of all that a row has.
  *of(row) {
    const tracked = row.length === this.expressions + 16;
    for (const { name, pitch, units, column } of this.columns) {
      if (units) yield [name, units.reduce((sum, i) => sum + row[i], 0) / units.length];
      else if (pitch) yield [name, tracked ? pitchOf(row) : bowed(row[this.expressions])];
      else if (!tracked && row.length > column) yield [name, row[column]];
    }
  }
}

// Degrees by which a pitch angle of raw coefficients bows the head; upright is pi.
function bowed(angle) {
  const degrees = (angle * 180) / Math.PI;
  return (((degrees % 360) + 360) % 360) - 180;
}
