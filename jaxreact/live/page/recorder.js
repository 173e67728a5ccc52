// A film of both faces side by side, with the speaker's sound. Always a webm: in the mp4 of
// Chromium the sound is 80 ms short.

const SIDE = [640, 720]; // pixels of each face
const GAP = 4;
const RATE = 30;
const TYPES = ["video/webm;codecs=vp9,opus", "video/webm;codecs=vp8,opus", "video/webm"];

export class Recorder {
  static get type() {
    if (typeof MediaRecorder === "undefined") return null;
    return TYPES.find((type) => MediaRecorder.isTypeSupported(type)) ?? null;
  }

  // `source` has the sound; it may be none.
  constructor(source) {
    this.canvas = document.createElement("canvas");
    this.canvas.width = 2 * SIDE[0] + GAP;
    this.canvas.height = SIDE[1];
    const stream = this.canvas.captureStream(RATE);
    if (source?.tap) {
      this.tap = source.tap;
      this.sound = source.context.createMediaStreamDestination();
      this.tap.connect(this.sound);
      for (const track of this.sound.stream.getAudioTracks()) stream.addTrack(track);
    }
    this.parts = [];
    this.recorder = new MediaRecorder(stream, {
      mimeType: Recorder.type,
      videoBitsPerSecond: 4_000_000,
    });
    this.recorder.ondataavailable = ({ data }) => this.parts.push(data);
    this.recorder.start(1000);
  }

  // What both sides show now; `left` may be null, and is as in a mirror if `mirrored`.
  draw(left, right, mirrored) {
    const pen = this.canvas.getContext("2d");
    pen.fillStyle = "#8a949e";
    pen.fillRect(0, 0, this.canvas.width, this.canvas.height);
    if (left) cover(pen, left, 0, mirrored);
    cover(pen, right, SIDE[0] + GAP, false);
  }

  // The film as a Blob.
  async stop() {
    if (this.recorder.state !== "inactive") {
      const stopped = new Promise((resolve) => (this.recorder.onstop = resolve));
      this.recorder.stop();
      await stopped;
    }
    try {
      if (this.sound) this.tap.disconnect(this.sound);
    } catch {
      // The source was closed meanwhile.
    }
    return new Blob(this.parts, { type: "video/webm" });
  }
}

// Fills a side with the middle of a picture.
function cover(pen, picture, x, mirrored) {
  const width = picture.videoWidth ?? picture.width;
  const height = picture.videoHeight ?? picture.height;
  if (!width || !height) return;
  const scale = Math.max(SIDE[0] / width, SIDE[1] / height);
  const [w, h] = [SIDE[0] / scale, SIDE[1] / scale];
  pen.save();
  pen.translate(mirrored ? x + SIDE[0] : x, 0);
  if (mirrored) pen.scale(-1, 1);
  pen.drawImage(picture, (width - w) / 2, (height - h) / 2, w, h, 0, 0, ...SIDE);
  pen.restore();
}
