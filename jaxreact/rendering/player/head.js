// A head model, and where its vertices are for 58 raw coefficients: HeadModel.vertices in the page.

const ARRAYS = {
  float32: Float32Array,
  int16: Int16Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
};

// The numbers of a packed array: base64 of their deflated bytes.
async function unpack({ type, data }) {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new ARRAYS[type](await new Response(stream).arrayBuffer());
}

// Numbers of several channels over time, frame by frame, from whole steps above each lowest value.
async function unpackSequence({ low, step, levels }) {
  const values = Float32Array.from(await unpack(levels));
  for (let i = 0; i < values.length; i++) {
    const channel = i % low.length;
    values[i] = low[channel] + step[channel] * values[i];
  }
  return values;
}

// Rows of R = Rz(c) Ry(b) Rx(a), one after another.
function rotationMatrix(a, b, c) {
  const [sa, sb, sc] = [a, b, c].map(Math.sin);
  const [ca, cb, cc] = [a, b, c].map(Math.cos);
  return [
    cc * cb,
    cc * sb * sa - sc * ca,
    cc * sb * ca + sc * sa,
    sc * cb,
    sc * sb * sa + cc * ca,
    sc * sb * ca - cc * sa,
    -sb,
    cb * sa,
    cb * ca,
  ];
}

class Head {
  static async unpack(packed) {
    const head = Object.assign(new Head(), packed);
    for (const name of ["neutral", "faces", "colors", "gloss", "grip", "unitGap", "unitDelta"]) {
      head[name] = await unpack(packed[name]);
    }
    head.shape = new Float32Array(head.neutral.length);
    return head;
  }

  get count() {
    return this.neutral.length / 3;
  }

  // Writes world positions (x image right, y up, z towards the camera) for 58 raw coefficients.
  place(coeffs, positions) {
    this.#deform(coeffs);
    const { shape, grip, pivot } = this;
    const [x0, y0, z0, x1, y1, z1, x2, y2, z2] = rotationMatrix(...coeffs.slice(52, 55));
    const [u0, v0, w0, u1, v1, w1, u2, v2, w2] = rotationMatrix(...this.upright);
    const [tx, ty, tz] = coeffs.slice(55, 58);
    const [px, py, pz] = pivot;
    const jx = x0 * px + y0 * py + z0 * pz + tx;
    const jy = x1 * px + y1 * py + z1 * pz + ty;
    const jz = x2 * px + y2 * py + z2 * pz + tz;
    for (let v = 0, i = 0; v < grip.length; v++, i += 3) {
      const x = shape[i],
        y = shape[i + 1],
        z = shape[i + 2];
      positions[i] = x0 * x + y0 * y + z0 * z + tx;
      positions[i + 1] = x1 * x + y1 * y + z1 * z + ty;
      positions[i + 2] = x2 * x + y2 * y + z2 * z + tz;
      if (grip[v] < 1) {
        // Shoulders stay upright below the neck, which the head carries along.
        const g = grip[v],
          a = x - px,
          b = y - py,
          c = z - pz;
        positions[i] = g * positions[i] + (1 - g) * (u0 * a + v0 * b + w0 * c + jx);
        positions[i + 1] = g * positions[i + 1] + (1 - g) * (u1 * a + v1 * b + w1 * c + jy);
        positions[i + 2] = g * positions[i + 2] + (1 - g) * (u2 * a + v2 * b + w2 * c + jz);
      }
    }
  }

  // Writes unit normals: the sum of the adjacent triangles' normals, weighted by their area.
  normals(positions, normals) {
    const { faces } = this;
    normals.fill(0);
    for (let f = 0; f < faces.length; f += 3) {
      const a = 3 * faces[f],
        b = 3 * faces[f + 1],
        c = 3 * faces[f + 2];
      const ux = positions[b] - positions[a],
        vx = positions[c] - positions[a];
      const uy = positions[b + 1] - positions[a + 1],
        vy = positions[c + 1] - positions[a + 1];
      const uz = positions[b + 2] - positions[a + 2],
        vz = positions[c + 2] - positions[a + 2];
      const nx = uy * vz - uz * vy,
        ny = uz * vx - ux * vz,
        nz = ux * vy - uy * vx;
      for (const i of [a, b, c]) {
        normals[i] += nx;
        normals[i + 1] += ny;
        normals[i + 2] += nz;
      }
    }
    for (let i = 0; i < normals.length; i += 3) {
      const length = Math.hypot(normals[i], normals[i + 1], normals[i + 2]) || 1;
      normals[i] /= length;
      normals[i + 1] /= length;
      normals[i + 2] /= length;
    }
  }

  // The shape in model space: at rest, plus what each unit that is not 0 adds.
  #deform(coeffs) {
    const { shape, unitStart, unitGap, unitDelta, unitStep } = this;
    shape.set(this.neutral);
    for (let unit = 0; unit + 1 < unitStart.length; unit++) {
      let weight = coeffs[unit];
      if (unit === this.mouthClose && this.lipsNeedJaw) {
        weight = Math.min(weight, Math.max(coeffs[this.jawOpen], 0));
      }
      if (weight === 0) continue;
      weight *= unitStep[unit];
      let i = 0;
      for (let k = unitStart[unit]; k < unitStart[unit + 1]; k++) {
        i += 3 * unitGap[k];
        shape[i] += weight * unitDelta[3 * k];
        shape[i + 1] += weight * unitDelta[3 * k + 1];
        shape[i + 2] += weight * unitDelta[3 * k + 2];
      }
    }
  }
}
