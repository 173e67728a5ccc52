// What looks at the speaker's pictures: the browser's tracker where the server brings it along,
// else the server itself, if it tracks.

import { Photographer, Tracker } from "./tracking.js";

export const INSTALL =
  "This server has no face tracker for the browser, as it could not fetch @mediapipe/tasks-vision:" +
  " install npm there, and start it again. The sample conversation needs none.";

export class Eyes {
  // `notices` hears what becomes of the tracker.
  constructor(info, notices) {
    Object.assign(this, { info, notices, tracker: null, photographer: null, loading: null });
  }

  // Loads the tracker, once, where there is one.
  load() {
    if (!this.info.vision || this.loading) return this.loading;
    const gpu = new URLSearchParams(location.search).get("delegate") === "GPU";
    this.loading = Tracker.load({
      folder: new URL("vision/", document.baseURI).href,
      expressions: this.info.expressions,
      delegate: gpu ? "GPU" : "CPU",
    }).then(
      (tracker) => (this.tracker = tracker),
      (error) => {
        this.loading = null;
        this.reason = error.message;
      },
    );
    return this.loading;
  }

  // From now on `found(time, row)` gets what is tracked here, and `taken(time, jpeg)` what is to be
  // tracked there. Pictures that come before the tracker is loaded are left out.
  async begin(found, taken) {
    const { info, notices } = this;
    this.found = found;
    if (info.vision && !this.tracker) {
      notices.say("tracker", "Loading the face tracker …", "note");
      await this.load();
      if (this.found !== found) return; // another speaker meanwhile
    }
    notices.say("tracker", "");
    if (this.tracker) {
      this.tracker.begin(found);
      return;
    }
    const why = info.vision
      ? `The face tracker does not run in this browser (${this.reason})`
      : "This page has no face tracker";
    if (info.tracks) {
      this.photographer ??= new Photographer();
      this.photographer.begin(taken);
      const words = `${why}: small pictures of you go to the server, which tracks them.`;
      notices.say("tracker", words, "note");
    } else {
      notices.say("tracker", info.vision ? `${why}: the listener only hears.` : INSTALL);
    }
  }

  see(video, time) {
    (this.tracker ?? this.photographer)?.see(video, time);
  }

  // Looks at nothing more.
  end() {
    this.found = null;
    this.notices.say("tracker", "");
  }
}
