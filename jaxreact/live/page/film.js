// A person in a video file, which plays here.

import { Pictures, videoElement } from "./pictures.js";
import { Ear, speakerClock } from "./sound.js";
import { Trouble, opened } from "./source.js";

export class FileSource {
  static open(on, file) {
    return opened(new FileSource(file), on);
  }

  constructor(file) {
    this.mirrored = false;
    this.name = file.name;
    this.element = videoElement();
    this.url = URL.createObjectURL(file);
  }

  async begin(on) {
    const { element } = this;
    await new Promise((resolve, reject) => {
      element.onloadeddata = resolve;
      element.onerror = () =>
        reject(new Trouble(`The browser cannot play ${this.name}; try an mp4 (H.264) or a webm.`));
      element.src = this.url;
    });
    if (!element.videoWidth) throw new Trouble(`${this.name} has no pictures; choose a video.`);
    // At the rate of the loudspeakers, since it is heard; the worklet resamples.
    this.context = new AudioContext({ latencyHint: "interactive" });
    await this.context.resume();
    this.tap = this.context.createMediaElementSource(element);
    this.volume = this.context.createGain();
    this.tap.connect(this.volume).connect(this.context.destination);
    this.ear = await Ear.open(this.context, speakerClock(this.context), on.hear);
    this.tap.connect(this.ear.node);
    element.onended = () => on.ended("");
    element.onerror = () => on.ended(`${this.name} is damaged from here on.`);
    this.pictures = new Pictures(element, on.see);
    await element.play();
  }

  mute(muted) {
    if (this.volume) this.volume.gain.value = muted ? 0 : 1;
  }

  close() {
    const { element } = this;
    element.onended = element.onerror = null;
    element.pause();
    this.pictures?.close();
    this.ear?.close();
    this.context?.close();
    element.removeAttribute("src");
    URL.revokeObjectURL(this.url);
  }
}
