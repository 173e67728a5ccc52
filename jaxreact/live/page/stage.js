// The two seats: the speaker's picture or head, and the listener's head. Head, View and THREE are
// those of the player, which are scripts without modules.

import { Rate } from "./account.js";

const SLOW = 20; // frames a second, below which the heads are drawn with fewer pixels
const SLOW_FOR = 3; // s

const find = (query) => document.querySelector(query);

export class Stage {
  constructor(head, { camera, light }) {
    Object.assign(this, { head, camera, light });
    this.listener = this.#view("#listener");
    this.speaker = null; // a head, once there was a speaker without a picture
    this.drawn = new Rate();
    this.slow = 0;
  }

  #view(seat) {
    try {
      return new View(find(`${seat} canvas`), this.head, this.camera, this.light);
    } catch {
      find(seat).classList.add("blind");
      return null;
    }
  }

  // Shows a source as the speaker: its video, or a head; null for nobody.
  seat(source) {
    this.source = source;
    const element = source?.element;
    find("#speaker").classList.toggle("playing", source !== null);
    find(".screen").replaceChildren(...(element ? [element] : []));
    element?.classList.toggle("mirrored", source.mirrored);
    element?.setAttribute("aria-label", "The speaker");
    find("#speaker canvas").hidden = !source || Boolean(element);
    if (source && !element) this.speaker ??= this.#view("#speaker");
  }

  // Draws the listener, and the speaker where a head stands for one.
  draw(time, coeffs) {
    if (this.listener) {
      this.listener.pose(coeffs);
      this.listener.draw();
      this.drawn.count(time);
    }
    if (this.source?.coeffsAt && this.speaker) {
      this.speaker.pose(this.source.coeffsAt(time));
      this.speaker.draw();
    }
  }

  // What is seen, for a recording; only right after it was drawn.
  get pictures() {
    const left = this.source?.element ?? find("#speaker canvas");
    return [left, find("#listener canvas"), this.source?.mirrored];
  }

  // Twice a second: draws fewer pixels where the machine does not keep up.
  relieve() {
    const slow = !document.hidden && this.drawn.perSecond < SLOW;
    this.slow = slow ? this.slow + 1 : 0;
    if (this.slow < 2 * SLOW_FOR) return;
    this.slow = 0;
    for (const view of [this.listener, this.speaker]) {
      const ratio = view?.renderer.getPixelRatio();
      if (ratio > 1) view.renderer.setPixelRatio(Math.max(ratio / 2, 1));
    }
  }
}
