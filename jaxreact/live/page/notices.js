// What the person should know, in words. Each subject has one line, which is there while it is true.

export class Notices {
  constructor(list) {
    this.list = list;
    this.lines = new Map(); // subject -> its element
  }

  // `words` empty: nothing is to be said of it (any more). `kind`: "warn" or "note".
  say(subject, words, kind = "warn") {
    const line = this.lines.get(subject);
    if (!words) {
      line?.remove();
      this.lines.delete(subject);
      return;
    }
    if (line?.textContent === words) return; // or it would be read out again
    const said = line ?? this.list.appendChild(document.createElement("li"));
    said.className = kind;
    said.textContent = words;
    this.lines.set(subject, said);
  }
}
