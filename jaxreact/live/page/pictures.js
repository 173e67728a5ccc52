// The pictures of a video element, and when each was taken or is shown, on the page's clock.

import { now } from "./clock.js";

const IDLE = 0.5; // s without a picture after which a timer looks, as in a tab in the background

// Tells of each new picture of a video and when it was taken, or is shown.
export class Pictures {
  constructor(video, see) {
    Object.assign(this, { video, see, last: now(), open: true });
    if (video.requestVideoFrameCallback) this.#wait();
    const pace = video.requestVideoFrameCallback ? 1000 * IDLE : 33;
    this.timer = setInterval(() => this.#poll(pace / 1000), pace);
  }

  close() {
    this.open = false;
    clearInterval(this.timer);
  }

  #wait() {
    this.video.requestVideoFrameCallback((at, { captureTime, expectedDisplayTime }) => {
      if (!this.open) return;
      this.#take((captureTime ?? expectedDisplayTime ?? at) / 1000);
      this.#wait();
    });
  }

  #poll(pace) {
    const { video } = this;
    const time = now();
    if (time - this.last < 0.9 * pace || video.paused || video.readyState < 2) return;
    if (video.currentTime === this.shown) return;
    this.#take(time);
  }

  #take(time) {
    if (time <= this.last) return;
    this.last = time;
    this.shown = this.video.currentTime;
    this.see(this.video, time);
  }
}

export function videoElement() {
  const video = document.createElement("video");
  video.playsInline = true;
  video.disablePictureInPicture = true;
  return video;
}
