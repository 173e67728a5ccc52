// The WebSocket to the server: it sends without ever piling up, and comes back when it is lost.

import { PROTOCOL, endMessage, read } from "./wire.js";

const ROOM = { picture: 96 * 1024, sound: 256 * 1024 }; // bytes that may wait to be sent
const BACKOFF = [0.5, 1, 2, 4, 8, 15]; // s
const FAREWELL = 3000; // ms that the last reactions may take

const WORDS = {
  1001: "The server was stopped.",
  1013: "The server is still warming up.",
  1009: "The server refused a message because it was too big.",
  4000: "The server did not understand this page",
  4008: "This page sent more than the server takes.",
  4009: "This session's time is over. Press Start for another one.",
  4013: "All places at the server are taken.",
};
const STEADY = { 1013: 2, 4013: 5 }; // s: the server is there, but busy
const FINAL = [1009, 4000, 4009]; // trying again would end the same

export class Stream {
  // `address(choices)` is the WebSocket's; `on` has hello, reactions, status and state. A state is
  // {name: "connecting" | "open" | "waiting" | "ended", words, seconds}.
  constructor(address, on) {
    Object.assign(this, { address, on, socket: null, timer: null, tries: 0, choices: {} });
    this.dropped = { pictures: 0, sounds: 0 };
  }

  // Opens a new stream in place of one that may be there.
  open(choices) {
    this.choices = choices;
    this.tries = 0;
    this.#leave();
    this.#connect();
  }

  // Says that nothing more comes, and waits for the last reactions.
  end() {
    clearTimeout(this.timer);
    const { socket } = this;
    if (socket?.readyState === WebSocket.OPEN) {
      socket.send(endMessage());
      this.timer = setTimeout(() => this.close(), FAREWELL);
    } else {
      this.close();
    }
  }

  close() {
    this.#leave();
    this.on.state({ name: "ended", words: "" });
  }

  // Whether a message was sent; one of a picture gives way to sound.
  send(message, kind) {
    const { socket } = this;
    if (socket?.readyState !== WebSocket.OPEN || !this.greeted) return false;
    if (socket.bufferedAmount > ROOM[kind]) {
      this.dropped[`${kind}s`] += 1;
      return false;
    }
    socket.send(message);
    return true;
  }

  #leave() {
    clearTimeout(this.timer);
    const { socket } = this;
    this.socket = null;
    this.greeted = false;
    if (!socket) return;
    socket.onmessage = socket.onclose = null;
    socket.close(1000);
  }

  #connect() {
    if (this.tries === 0)
      this.on.state({ name: "connecting", words: "Connecting to the server …" });
    const socket = new WebSocket(this.address(this.choices), PROTOCOL);
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => this.#take(read(data));
    socket.onclose = ({ code, reason }) => this.#lost(code, reason);
    this.socket = socket;
    this.greeted = false;
  }

  #take(message) {
    if (message?.hello) {
      this.tries = 0;
      this.greeted = true;
      this.on.hello(message.hello);
      this.on.state({ name: "open", words: "" });
    } else if (message?.status) {
      this.on.status(message.status);
    } else if (message?.rows) {
      this.on.reactions(message.time, message.rows);
    }
  }

  #lost(code, reason) {
    clearTimeout(this.timer);
    this.socket = null;
    if (code === 1000 || FINAL.includes(code)) {
      const words = code === 4000 && reason ? `${WORDS[4000]}: ${reason}.` : (WORDS[code] ?? "");
      this.on.state({ name: "ended", words });
      return;
    }
    const known =
      WORDS[code] ?? (this.greeted ? "The server was lost." : "The server does not answer.");
    this.greeted = false;
    const wait = STEADY[code] ?? BACKOFF[Math.min(this.tries, BACKOFF.length - 1)];
    this.tries += 1;
    const seconds = wait * (0.8 + 0.4 * Math.random()); // not all pages at the same moment
    this.on.state({ name: "waiting", words: `${known} This page tries again by itself.`, seconds });
    this.timer = setTimeout(() => this.#connect(), 1000 * seconds);
  }
}
