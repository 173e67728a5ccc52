// A person in front of a camera and a microphone.

import { Pictures, videoElement } from "./pictures.js";
import { Ear, microphoneClock, microphoneContext } from "./sound.js";
import { Trouble, opened } from "./source.js";

export class CameraSource {
  static async open(on) {
    if (!navigator.mediaDevices?.getUserMedia) {
      throw new Trouble(
        "The browser gives a camera and a microphone only to pages at https:// addresses or on" +
          " this machine (localhost).",
      );
    }
    const stream = await navigator.mediaDevices
      .getUserMedia({
        video: {
          width: { ideal: 640 },
          height: { ideal: 480 },
          frameRate: { ideal: 30 },
          facingMode: "user",
        },
        audio: { channelCount: { ideal: 1 }, echoCancellation: true },
      })
      .catch(async (error) => {
        throw new Trouble(await explain(error));
      });
    return opened(new CameraSource(stream), on);
  }

  constructor(stream) {
    this.stream = stream;
    this.mirrored = true;
    this.element = videoElement();
    this.element.muted = true; // nobody wants to hear oneself
    this.element.srcObject = stream;
  }

  async begin(on) {
    const [sound] = this.stream.getAudioTracks();
    for (const track of this.stream.getTracks()) {
      const name = track.kind === "video" ? "camera" : "microphone";
      track.onended = () => on.ended(`The ${name} was unplugged or taken away. Press Start again.`);
    }
    const { context, node } = microphoneContext(this.stream);
    Object.assign(this, { context, tap: node });
    await context.resume();
    const clock = microphoneClock(context, sound.getSettings().latency ?? 0);
    this.ear = await Ear.open(context, clock, on.hear);
    node.connect(this.ear.node);
    await this.element.play();
    this.pictures = new Pictures(this.element, on.see);
  }

  mute(muted) {
    for (const track of this.stream.getAudioTracks()) track.enabled = !muted;
  }

  close() {
    for (const track of this.stream.getTracks()) {
      track.onended = null;
      track.stop();
    }
    this.pictures?.close();
    this.ear?.close();
    this.context?.close();
    this.element.srcObject = null;
  }
}

// Why there is no camera or no microphone.
async function explain({ name, message }) {
  if (name === "NotAllowedError" || name === "SecurityError") {
    return (
      "The browser may not use the camera and the microphone. Allow both beside the address at the" +
      " top of the window, then press Start."
    );
  }
  if (name === "NotReadableError" || name === "AbortError") {
    return "The camera or the microphone cannot be opened; another program may be using it.";
  }
  if (name === "NotFoundError" || name === "OverconstrainedError") {
    const devices = await navigator.mediaDevices.enumerateDevices().catch(() => []);
    const kinds = devices.map(({ kind }) => kind);
    const missing = [
      ...(kinds.includes("videoinput") ? [] : ["camera"]),
      ...(kinds.includes("audioinput") ? [] : ["microphone"]),
    ];
    const what = missing.length ? missing.join(" and no ") : "camera with a microphone";
    return `No ${what} was found. Plug one in, or choose a video file or the sample conversation.`;
  }
  return `The camera and the microphone cannot be opened (${message}).`;
}
