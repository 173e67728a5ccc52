// The messages of the live protocol, version 1 (docs/live.md): a head of 16 bytes, then what the
// kind says. All is little-endian, as are the typed arrays of every machine that has a browser.

export const PROTOCOL = "jaxreact.1";
export const COEFFS = 58;
export const EMOTIONS = 25;
export const WIDTH = COEFFS + EMOTIONS; // of a reaction

const HEAD = 16;
const KIND = {
  SOUND: 1,
  FACES: 2,
  TRACKED: 3,
  PICTURE: 4,
  END: 5,
  HELLO: 16,
  REACTIONS: 17,
  STATUS: 18,
};

function message(kind, count, time, ...parts) {
  const bytes = parts.reduce((sum, part) => sum + part.byteLength, 0);
  const buffer = new ArrayBuffer(HEAD + bytes);
  const head = new DataView(buffer);
  head.setUint8(0, 0x6a); // j
  head.setUint8(1, 0x72); // r
  head.setUint8(2, 1);
  head.setUint8(3, kind);
  head.setUint32(4, count, true);
  head.setFloat64(8, time, true);
  let at = HEAD;
  for (const part of parts) {
    new Uint8Array(buffer, at).set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
    at += part.byteLength;
  }
  return buffer;
}

// 16 kHz mono; `time` is that of the first sample.
export const soundMessage = (time, samples) => message(KIND.SOUND, samples.length, time, samples);

// Raw coefficients of faces, one row after another, and the time of each.
export const facesMessage = (times, rows) =>
  message(KIND.FACES, times.length, 0, Float64Array.from(times), rows);

// What MediaPipe has found in one picture: 52 weights, then the pose matrix by columns.
export const trackedMessage = (time, row) =>
  message(KIND.TRACKED, 1, 0, Float64Array.of(time), row);

// A JPEG, for a server that tracks.
export const pictureMessage = (time, jpeg) =>
  message(KIND.PICTURE, jpeg.byteLength, time, new Uint8Array(jpeg));

export const endMessage = () => message(KIND.END, 0, 0);

// What the server sends: {hello}, {status} or {time, rows}; null for what a newer one may add.
export function read(buffer) {
  const head = new DataView(buffer);
  const kind = head.getUint8(3);
  const count = head.getUint32(4, true);
  if (kind === KIND.REACTIONS) {
    return { time: head.getFloat64(8, true), rows: new Float32Array(buffer, HEAD, count * WIDTH) };
  }
  const name = { [KIND.HELLO]: "hello", [KIND.STATUS]: "status" }[kind];
  if (!name) return null;
  return { [name]: JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, HEAD, count))) };
}
