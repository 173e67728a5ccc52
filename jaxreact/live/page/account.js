// How the stream fares: rates, and in plain words what was lost or filled in.

import { now } from "./clock.js";

const WINDOW = 2; // s

// How often something happens a second.
export class Rate {
  #times = [];

  count(time = now()) {
    this.#times.push(time);
    while (this.#times[0] < time - WINDOW) this.#times.shift();
  }

  get perSecond() {
    const since = now() - WINDOW;
    return this.#times.filter((time) => time > since).length / WINDOW;
  }
}

const WORDS = {
  interpolated: [
    "frame of the speaker's face was filled in",
    "frames of the speaker's face were filled in",
  ],
  held: [
    "time the speaker's last face was held for a frame",
    "times the speaker's last face was held for a frame",
  ],
  late: ["picture came too late", "pictures came too late"],
  silent: "s without sound were taken for silence",
  left_out: "s of sound that came twice or too early were left out",
  in: [
    "message was more than the server could take",
    "messages were more than the server could take",
  ],
  out: [
    "reaction was not sent, as the connection was slow",
    "reactions were not sent, as the connection was slow",
  ],
  pictures: [
    "picture was not sent, as the connection was slow",
    "pictures were not sent, as the connection was slow",
  ],
  sounds: [
    "piece of sound was not sent, as the connection was slow",
    "pieces of sound were not sent, as the connection was slow",
  ],
  skipped: ["reaction was not drawn", "reactions were not drawn"],
};

// `counts` by name, from the server's status and from here -> a sentence.
export function accountOf(counts) {
  const parts = Object.entries(counts).flatMap(([name, value]) => {
    const words = WORDS[name];
    if (!words || !(value >= 0.05)) return [];
    if (typeof words === "string") return [`${value.toFixed(1)} ${words}`];
    return [`${Math.round(value)} ${words[value === 1 ? 0 : 1]}`];
  });
  if (!parts.length) return "Nothing was lost or filled in so far.";
  return `So far: ${parts.join("; ")}.`;
}
